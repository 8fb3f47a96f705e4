"""The backbone of a plan, fitted to the years before its test, and the maps of earlier years.

The background of a training window is made from events before that window: smoothed events that
are to be explained would explain themselves.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from geotools.seismicity.backbone import Backbone
from geotools.seismicity.bvalue import b_value
from geotools.seismicity.etas_fit import EtasFit, fit_etas
from geotools.seismicity.smoothing import smoothed_rates
from geotools.training.seismicity.data import Events
from geotools.training.seismicity.regions import Plan, day

__all__ = ["fitted_backbone", "maps_of"]

_BIN = 0.1
"""Width of the magnitude bins of both catalogs."""


def fitted_backbone(plan: Plan, events: Events) -> tuple[Backbone, EtasFit]:
    """The backbone from the events before `plan.test_from`, and the fit of its ETAS."""
    grid, region = plan.cells()
    past = tuple(values[events[0] < day(plan.test_from)] for values in events)
    slope = b_value(past[3], mc=plan.mc, delta_m=_BIN).b
    fit = fit_etas(
        past[0], past[1], past[2], past[3],
        mc=plan.mc, start_days=day(plan.etas_from), end_days=day(plan.test_from),
        grid=grid, region=region, b_value=slope,
    )  # fmt: skip
    ones = np.ones(grid.shape)
    empty = Backbone(
        plan.title, grid, region, plan.mc, slope, fit.parameters, ones, ones,
        plan.scales_km, plan.bands_days,
    )  # fmt: skip
    whole = _with_maps(empty, plan, events, fit, day(plan.test_from))
    # As it will come out of the file, so that what is fitted is what is issued.
    return Backbone.from_parameters(whole.to_parameters()), fit


def maps_of(
    backbone: Backbone, plan: Plan, events: Events, fit: EtasFit
) -> Callable[[float], Backbone]:
    """From an issue time before the test to the backbone with maps of earlier events alone."""
    first, last = (int(date[:4]) for date in (plan.fit_from, plan.test_from))
    starts = [day(plan.fit_from)]
    starts += [day(f"{year}-01-01") for year in range(first + 1, last, plan.map_years)]
    made = [_with_maps(backbone, plan, events, fit, start) for start in starts]

    def held(issue: float) -> Backbone:
        return made[max(int(np.searchsorted(starts, issue, side="right")) - 1, 0)]

    return held


def _with_maps(
    backbone: Backbone, plan: Plan, events: Events, fit: EtasFit, until: float
) -> Backbone:
    """The backbone with background and long-term baseline from the events before `until`.

    Background: every event by its chance of not being triggered, smoothed. Baseline: all events,
    smoothed.
    """
    time, longitude, latitude, magnitude = events
    grid, region = backbone.grid, backbone.region
    chance = np.zeros(len(time))
    chance[: len(fit.background_probability)] = np.nan_to_num(fit.background_probability)
    counted = backbone.used(magnitude) & (time < until)

    def smoothed(weights: NDArray[np.float64], since: str) -> NDArray[np.float64]:
        chosen = counted & (weights > 0) & (time >= day(since))
        shares = smoothed_rates(
            longitude[chosen], latitude[chosen], grid, region, weights=weights[chosen]
        )
        rates = np.zeros(grid.shape)
        rates[region] = shares * weights[chosen].sum() / (until - day(since))
        return rates

    return dataclasses.replace(
        backbone,
        background=smoothed(chance, plan.etas_from),
        smoothed=smoothed(np.ones(len(time)), plan.sources_from),
    )
