"""Forecaster: expected numbers of earthquakes after a moment, from the events before it.

A backbone (background, ETAS, completeness) and, where there is one, a net that corrects its rates.
Both come out of a model file, or the backbone is made from the catalog itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import EventsError
from geotools.events import check_events, days
from geotools.forecast import Forecast, utc
from geotools.inference.calibration import UNCALIBRATED, Calibration
from geotools.inference.issued import Issued
from geotools.inference.model import Model
from geotools.inference.remarks import (
    EventArrays,
    inside,
    past_dispersion,
    remarks,
    used_events,
)
from geotools.raster import Raster
from geotools.seismicity.backbone import Backbone
from geotools.seismicity.etas_parameters import decay_share
from geotools.seismicity.features import CellFeatures, cell_features, each_features

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

__all__ = ["Forecaster", "default_edges"]

_BATCH = 16_384
"""Cells in one call of the net."""

_POISSON = (
    "The interval is that of independent events (Poisson); earthquakes come in clusters, so that "
    "their number scatters more."
)

_MOST_BINS = 4
_LARGEST_EDGE = 7.0
"""Beside the lowest magnitude, whole magnitudes up to 7 get bins, four bins at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Forecaster:
    """All that issues forecasts for one region, whatever the moment and the horizon."""

    backbone: Backbone
    """Region, completeness, background and ETAS."""
    identity: Mapping[str, str]
    """`name`; of a model file `version` and `sha256` too."""
    calibration: Calibration = UNCALIBRATED
    """Factors of background and triggering by horizon."""
    model: Model | None = None
    """The net; None: the backbone alone."""
    notes: tuple[str, ...] = ()
    """What every forecast of this one has to say."""

    @property
    def horizon_days(self) -> float:
        """The horizon when none is asked for."""
        return self.calibration.default_days

    @property
    def trained_until(self) -> datetime | None:
        """The moment after the last event that the model was fitted to, as its file says."""
        said = None if self.model is None else self.model.spec.training.get("until")
        try:
            return utc(datetime.fromisoformat(str(said)))
        except ValueError:
            return None

    @property
    def area_m2(self) -> float:
        """Area of the region in square metres."""
        grid = self.backbone.grid
        return float((self.backbone.region.sum(axis=1) * grid.cell_area_m2()).sum())

    def issue(
        self,
        events: GeoDataFrame,
        start: datetime,
        *,
        horizon_days: float | None = None,
        magnitudes: tuple[float, ...] | None = None,
    ) -> Issued:
        """The forecast for [start, start + horizon), from the events before `start`.

        Args:
            events: an event table; what happens at or after `start` is not looked at.
            start: the issue time; without a time zone it is UTC.
            horizon_days: length of the window; `self.horizon_days` when None.
            magnitudes: lower edges of the magnitude bins, rising, from `backbone.mc` on; that, and
                whole magnitudes up to 7, when None.

        Raises:
            EventsError: a horizon or magnitudes that this forecaster has not.
        """
        events, start = check_events(events), utc(start)
        horizon, edges = self._horizon(horizon_days), self._edges(magnitudes)
        arrays = EventArrays.of(events)
        features = cell_features(
            self.backbone, *_columns(arrays), issue_days=_days(start), horizon_days=horizon
        )
        return self._issued(features, arrays, start, horizon, edges)

    def issue_each(
        self,
        events: GeoDataFrame,
        starts: Sequence[datetime],
        *,
        horizon_days: float | None = None,
        magnitudes: tuple[float, ...] | None = None,
    ) -> Iterator[Issued]:
        """`issue` at each of many rising starts, at the cost of what changes between them.

        Raises:
            EventsError: as `issue`, or starts that do not rise.
        """
        events = check_events(events)
        horizon, edges = self._horizon(horizon_days), self._edges(magnitudes)
        arrays = EventArrays.of(events)
        moments = [utc(start) for start in starts]
        each = each_features(
            self.backbone, *_columns(arrays),
            issues_days=[_days(moment) for moment in moments], horizon_days=horizon,
        )  # fmt: skip
        for moment, features in zip(moments, each, strict=True):
            yield self._issued(features, arrays, moment, horizon, edges)

    def _issued(
        self,
        features: CellFeatures,
        events: EventArrays,
        start: datetime,
        horizon: float,
        edges: tuple[float, ...],
    ) -> Issued:
        issue = _days(start)
        used, left_out = used_events(self.backbone, events, issue)
        etas = self.calibration.etas(features, horizon, secondaries=True)
        direct = self.calibration.etas(features, horizon, secondaries=False)
        rates, note = self._corrected(features, etas, events.time_days[used], issue, horizon)
        notes = [*self.notes, *([note] if note else [])]
        notes += remarks(self.backbone, events, used, issue)
        dispersion = self.calibration.dispersion(horizon)
        if dispersion is None:
            counted = used & inside(self.backbone, events)
            dispersion = past_dispersion(events.time_days[counted], issue, horizon)
        if dispersion is None:
            notes.append(_POISSON)
        if self.trained_until is not None and start < self.trained_until:
            notes.append(
                f"The start lies in the years that the model was fitted to (until "
                f"{self.trained_until:%Y-%m-%d}): this is no test of it."
            )
        window = (start, _end(start, horizon))
        smoothed = features.smoothed
        return Issued(
            forecast=self._forecast(rates, window, edges, self.identity["name"]),
            baselines={
                "uniform": self._forecast(self._uniform(smoothed), window, edges, "uniform"),
                "smoothed": self._forecast(smoothed, window, edges, "smoothed seismicity"),
                "etas_primary": self._forecast(direct, window, edges, "ETAS, direct"),
                "etas": self._forecast(etas, window, edges, "ETAS"),
            },
            mc=self.backbone.mc,
            b_value=self.backbone.b_value,
            used=used,
            left_out=left_out,
            dispersion=dispersion,
            model=self.identity,
            notes=tuple(notes),
        )

    def _edges(self, asked: tuple[float, ...] | None) -> tuple[float, ...]:
        edges = asked or default_edges(self.backbone.mc)
        if edges[0] < self.backbone.mc - 1e-6:
            raise EventsError(
                f"{self.identity['name']} counts events from M {self.backbone.mc:g} on: ask for "
                f"that or more, not for {edges[0]:g}."
            )
        return edges

    def _horizon(self, asked: float | None) -> float:
        if asked is None:
            return self.horizon_days
        low, high = self.calibration.range_days
        if not asked > 0:
            raise EventsError(f"A horizon of {asked:g} days is no window: give more than 0.")
        if not low <= asked <= high:
            raise EventsError(
                f"{self.identity['name']} was made for {low:g} to {high:g} days, not for "
                f"{asked:g}: give a --horizon between them, or --model generic."
            )
        return float(asked)

    def _corrected(
        self,
        features: CellFeatures,
        etas: NDArray[np.float64],
        time: NDArray[np.float64],
        issue: float,
        horizon: float,
    ) -> tuple[NDArray[np.float64], str]:
        """(cells,) the rates of the net, or those of ETAS and why."""
        if self.model is None:
            return etas, ""
        history = issue - float(time.min()) if time.size else 0.0
        if history < self.backbone.history_days:
            return etas + self._unseen(features, history), (
                f"The catalog begins {history:,.0f} days before the start and the net looks "
                f"{self.backbone.history_days:,.0f} days back: this is ETAS with the model's "
                "background, without the net; what earlier events trigger is taken at its "
                "long-term mean."
            )
        names = [item.name for item in self.model.spec.inputs]
        inputs: dict[str, Any] = {}
        if "horizon_days" in names:
            inputs["horizon_days"] = np.array([horizon], dtype=np.float32)
        rates = [
            self.model.run({"features": features.values[first : first + _BATCH], **inputs})[0]
            for first in range(0, features.values.shape[0], _BATCH)
        ]
        return np.concatenate(rates).astype(np.float64), ""

    def _unseen(self, features: CellFeatures, history_days: float) -> NDArray[np.float64]:
        """(cells,) what events before the catalog trigger in the window, on the long-term mean.

        Of all triggered events, the share whose parent is older than the catalog.
        """
        seen = decay_share(self.backbone.etas, np.zeros(1), np.full(1, history_days))[0]
        triggered: NDArray[np.float64] = np.maximum(features.smoothed - features.background, 0)
        return np.asarray((1 - seen) * triggered)

    def _uniform(self, smoothed: NDArray[np.float64]) -> NDArray[np.float64]:
        """(cells,) the same number of events, spread evenly by area."""
        area = np.broadcast_to(self.backbone.grid.cell_area_m2()[:, None], self.backbone.grid.shape)
        shares = area[self.backbone.region] / area[self.backbone.region].sum()
        return np.asarray(shares * smoothed.sum())

    def _forecast(
        self,
        cells: NDArray[np.float64],
        window: tuple[datetime, datetime],
        edges: tuple[float, ...],
        name: str,
    ) -> Forecast:
        """The cells as a raster of magnitude bins, by the Gutenberg-Richter law above Mc."""
        backbone = self.backbone
        above = [10 ** (-backbone.b_value * (edge - backbone.mc)) for edge in edges] + [0.0]
        shares = -np.diff(above)  # (bins,)
        data = np.zeros((len(edges), *backbone.grid.shape))
        data[:, backbone.region] = shares[:, None] * cells
        bands = tuple(f"M {edge:g}" for edge in edges)
        rates = Raster(data, backbone.region, backbone.grid, bands)
        return Forecast(rates, *window, edges, name)


def _columns(events: EventArrays) -> tuple[NDArray[np.float64], ...]:
    return events.time_days, events.longitude, events.latitude, events.magnitude


def _end(start: datetime, horizon_days: float) -> datetime:
    try:
        end = start + timedelta(days=horizon_days)
    except OverflowError:
        raise EventsError(
            f"{horizon_days:g} days from {start:%Y-%m-%d} end after the year 9999: start earlier."
        ) from None
    if end <= start:
        raise EventsError(f"A horizon of {horizon_days:g} days is shorter than a microsecond.")
    return end


def _days(moment: datetime) -> float:
    return float(days(np.datetime64(moment.replace(tzinfo=None), "us")))


def default_edges(lowest: float) -> tuple[float, ...]:
    """The lowest magnitude, and whole magnitudes above it up to 7; four bins at most."""
    whole = np.arange(np.floor(lowest) + 1, _LARGEST_EDGE + 1)
    return (lowest, *(float(edge) for edge in whole[: _MOST_BINS - 1] if edge > lowest + 0.05))
