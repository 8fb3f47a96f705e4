"""The fit of the space-time ETAS model to a catalog by expectation and maximisation.

After Veen and Schoenberg (2008) and Mizrahi, Nandan and Wiemer (2021), with a background that is
smoothed from the probabilities of being background (Zhuang, Ogata and Vere-Jones 2002).
"""

from __future__ import annotations

import math
import time as clock
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.seismicity._columns import checked_columns
from geotools.seismicity._etas_maximum import maximised
from geotools.seismicity._etas_problem import Problem
from geotools.seismicity.cells import cell_area_km2, cell_place
from geotools.seismicity.etas_parameters import EtasParameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.grid import Grid

__all__ = ["EtasFit", "fit_etas"]

_START = (10**-2.6, 1.8, 10**-2.5, -0.02, 10**3.5, 10**-0.85, 1.3, 0.66)
"""First guess of k0, a, c, omega, tau, d, gamma, rho: values of a Californian fit."""


@dataclass(frozen=True, slots=True)
class EtasFit:
    """A fitted ETAS model and how the fit went."""

    parameters: EtasParameters
    """Of the triggering."""
    background_probability: NDArray[np.float64]
    """(events,) chance that an event was not triggered, in the order given; NaN for events that
    are no targets."""
    background_rate_per_day: float
    """Independent events per day in the region, at `mref` and above."""
    log_likelihood: float
    """Of the targets, natural logarithm, rates per day and km2."""
    iterations: int
    """Steps of expectation and maximisation."""
    converged: bool
    """False when the steps ran out before the parameters stood still."""
    seconds: float
    """Wall time of the fit."""
    targets: int
    """Events that were explained."""
    sources: int
    """Events that may have triggered, targets among them."""


def fit_etas(
    time_days: NDArray[np.floating],
    longitude: NDArray[np.floating],
    latitude: NDArray[np.floating],
    magnitude: NDArray[np.floating],
    *,
    mc: float,
    start_days: float,
    end_days: float,
    area_km2: float | None = None,
    grid: Grid | None = None,
    region: NDArray[np.bool_] | None = None,
    b_value: float | None = None,
    magnitude_max: float | None = None,
    background: str = "smoothed",
    iterations: int = 100,
    tolerance: float = 2e-3,
    threads: int = 2,
    progress: Callable[[int, float], None] | None = None,
) -> EtasFit:
    """The ETAS model that explains the events of [start, end) best.

    Earlier events are sources only. All pairs nearer than 100 rupture lengths (at least 150 km)
    count; none is kept, so memory grows with the events and time with their square: see
    benchmarks/etas.py. With `grid` and `region`, aftershocks that fall outside the region are
    expected but not missed, and events outside are sources only; with `area_km2` alone the plane
    is taken as seen, which makes productivity a little too small.

    Args:
        time_days: (events,) days since 1970-01-01 UTC; in any order.
        longitude, latitude: (events,) degrees; without `grid` and `region`, events of the region.
        magnitude: (events,) events below `mc`, or NaN, are not used.
        mc: magnitude of completeness, the lower edge of its bin (3.15 for bins of 0.1 at 3.2).
        start_days, end_days: window of the targets.
        area_km2: area of the region; or give `grid` and `region`.
        grid, region: geographic grid and (rows, cols) mask of the region's cells.
        b_value: by default from the targets (Aki 1965, with `mc` as lower edge).
        magnitude_max: largest magnitude in expectations; by default 0.5 above the largest seen.
        background: "smoothed" or "uniform".
        iterations: steps at most.
        tolerance: the fit ends when no parameter (logarithms of those above 0) moves by more.
        threads: that share the pairs.
        progress: called with the step and the log-likelihood.

    Raises:
        EventsError: too few events, windows or areas that cannot be, arrays that do not fit.
    """
    began = clock.perf_counter()
    arrays = checked_columns(
        time_days=time_days, longitude=longitude, latitude=latitude, magnitude=magnitude
    )
    threads, iterations = max(threads, 1), max(iterations, 1)
    place = None if grid is None or region is None else cell_place(grid, region)
    problem = Problem(arrays, mc=mc, window=(start_days, end_days), place=place, threads=threads)
    area = _area(area_km2, grid, region)
    if background not in ("smoothed", "uniform"):
        raise EventsError(f'The background is "smoothed" or "uniform", not {background!r}.')
    if b_value is None:
        excess = float((problem.magnitude[problem.targets] - mc).mean())
        if not excess > 0:
            raise EventsError("All targets have the magnitude of completeness: give b_value.")
        b_value = math.log10(math.e) / excess
    top = float(problem.magnitude.max()) + 0.5 if magnitude_max is None else magnitude_max
    values = dict(zip(_NAMES, _START, strict=True))
    parameters = EtasParameters(**values, mref=mc, b_value=b_value, magnitude_max=top)
    chance = np.full(len(problem.targets), 0.5)
    done, converged = 0, False
    for step in range(1, iterations + 1):
        rates, number = problem.background(chance, area, smoothed=background == "smoothed")
        chance, histograms, log_sum = problem.expectation(parameters, rates)
        likelihood = log_sum - number - problem.exposure.expected(parameters)
        if progress is not None:
            progress(step, likelihood)
        if not histograms.offspring.any():
            raise EventsError(
                "No event of the fit can have triggered another: check times and places, or take "
                "generic parameters."
            )
        better = maximised(histograms, parameters)
        moved = _moved(parameters, better)
        parameters, done = better, step
        if moved < tolerance:
            converged = True
            break
    probability = np.full(len(time_days), np.nan)
    probability[problem.order[problem.targets]] = chance
    return EtasFit(
        parameters=parameters,
        background_probability=probability,
        background_rate_per_day=float(chance.sum()) / (end_days - start_days),
        log_likelihood=likelihood,
        iterations=done,
        converged=converged,
        seconds=clock.perf_counter() - began,
        targets=len(problem.targets),
        sources=len(problem.time),
    )


_NAMES = ("k0", "a", "c_days", "omega", "tau_days", "d_km2", "gamma", "rho")
_LOGARITHMIC = ("k0", "c_days", "tau_days", "d_km2", "rho")


def _area(area_km2: float | None, grid: Grid | None, region: NDArray[np.bool_] | None) -> float:
    if grid is not None and region is not None:
        return float(cell_area_km2(grid, region).sum())
    if area_km2 is None or not area_km2 > 0:
        raise EventsError(
            f"The region has an area of {area_km2} km2: give one, or grid and region."
        )
    return float(area_km2)


def _moved(before: EtasParameters, after: EtasParameters) -> float:
    """Largest change of a parameter, of its logarithm where it is above 0 by nature.

    tau counts a twentieth: a catalog that is shorter than tau knows it to a factor at best, and
    the steps creep along it for a gain of a hundredth in the log-likelihood.
    """
    old, new = before.to_dict(), after.to_dict()
    changes = {
        name: abs(
            math.log(new[name] / old[name]) if name in _LOGARITHMIC else new[name] - old[name]
        )
        for name in _NAMES
    }
    changes["tau_days"] /= 20
    return max(changes.values())
