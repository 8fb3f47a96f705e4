"""Calibration: the factors of an ETAS forecast at each horizon, and between the horizons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import ModelError
from geotools.seismicity.features import CellFeatures

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["UNCALIBRATED", "Calibration", "Factors"]

_UNCALIBRATED_DAYS = (7.0, 0.0, 3660.0)
"""Horizon that is taken when none is asked for, and the shortest and longest, without factors."""


@dataclass(frozen=True, slots=True)
class Factors:
    """The factors of background and triggering at one horizon, as fitted on the training years."""

    horizon_days: float
    """Length of the window."""
    background: float
    """Of the background, beside triggering with secondaries."""
    triggering: float
    """Of the triggering with secondaries."""
    background_direct: float
    """Of the background, beside direct aftershocks alone."""
    triggering_direct: float
    """Of direct aftershocks alone."""
    dispersion: float | None = None
    """Variance of the number of events beyond Poisson's, as a share of the squared mean."""

    def __post_init__(self) -> None:
        numbers = (
            self.background, self.triggering, self.background_direct, self.triggering_direct,
            self.horizon_days, self.dispersion or 0.0,
        )  # fmt: skip
        if not (np.isfinite(numbers).all() and min(numbers) >= 0 and self.horizon_days > 0):
            raise ModelError(
                f"The calibration at {self.horizon_days} days holds {numbers}: numbers from 0 up "
                "are needed."
            )


@dataclass(frozen=True, slots=True)
class Calibration:
    """The factors of every horizon that was fitted; empty: all factors are 1."""

    horizons: tuple[Factors, ...] = ()
    """By rising horizon."""

    def __post_init__(self) -> None:
        lengths = [one.horizon_days for one in self.horizons]
        if lengths != sorted(set(lengths)):
            raise ModelError(f"The calibration gives horizons of {lengths} days: they must rise.")

    @property
    def default_days(self) -> float:
        """The horizon when none is asked for: the shortest that was fitted."""
        return self.horizons[0].horizon_days if self.horizons else _UNCALIBRATED_DAYS[0]

    @property
    def range_days(self) -> tuple[float, float]:
        """The shortest and the longest horizon there is."""
        if not self.horizons:
            return _UNCALIBRATED_DAYS[1:]
        return self.horizons[0].horizon_days, self.horizons[-1].horizon_days

    def etas(
        self, features: CellFeatures, horizon_days: float, *, secondaries: bool
    ) -> NDArray[np.float64]:
        """(cells,) expected events: background and triggering with their factors."""
        triggered = features.with_secondaries if secondaries else features.triggered
        if not self.horizons:
            return features.background + triggered
        ending = "" if secondaries else "_direct"
        background, triggering = (
            self._between([getattr(one, name + ending) for one in self.horizons], horizon_days)
            for name in ("background", "triggering")
        )
        rates: NDArray[np.float64] = background * features.background + triggering * triggered
        return rates

    def dispersion(self, horizon_days: float) -> float | None:
        """Of the number of events; None where it is not known."""
        known = [one.dispersion for one in self.horizons if one.dispersion is not None]
        if not self.horizons or len(known) < len(self.horizons):
            return None
        return self._between(known, horizon_days)

    def _between(self, values: Sequence[float], horizon_days: float) -> float:
        """The value at a horizon: linear in the logarithms of horizon and value."""
        logs = np.log([one.horizon_days for one in self.horizons])
        logged = np.log(np.maximum(values, 1e-12))
        return float(np.exp(np.interp(np.log(horizon_days), logs, logged)))


UNCALIBRATED = Calibration()
"""Background and triggering as they are."""
