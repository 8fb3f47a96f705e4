"""The shipped forecast models, from a catalog to the `.onnx` file and its card.

    python -m geotools.training.seismicity --region california --catalog FILE \
        -o models/seismicity-california-v1.onnx

fits ETAS, background and network to the years before the test, exports the network with its proof,
scores it on the test years and writes the card beside it. Everything is seeded.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from geotools.evaluation.gains import Gain
from geotools.events import days
from geotools.io.catalogs.reading import read_events
from geotools.io.records import sha256
from geotools.seismicity.backbone import Backbone
from geotools.seismicity.features import FEATURES, usable_events
from geotools.spec import InputInfo, ModelSpec, OutputInfo
from geotools.training.seismicity.backbone import fitted_backbone, maps_of
from geotools.training.seismicity.card import write_card
from geotools.training.seismicity.data import CellWindows, Events, drawn_windows, stacked
from geotools.training.seismicity.export import export_rates
from geotools.training.seismicity.fit import FitConfig, batch_of, calibrated, dispersion, fit
from geotools.training.seismicity.nets import CHOSEN, Calibration, RateNet, joined
from geotools.training.seismicity.regions import PLANS, Plan, day
from geotools.training.seismicity.scores import Predictor, Totals
from geotools.training.seismicity.test import TestResult, run_test

__all__ = ["Material", "fitted_net", "main", "material", "model_spec"]

DRAWS = (240_000, 60_000)
"""Cell-windows drawn from the training years, at the shortest horizon and at others."""

MEMBERS = 3
"""Networks whose corrections are averaged."""

_FEWEST = 2000
"""Events that a correction needs; with fewer it stays zero."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What a network is fitted to."""

    backbone: Backbone
    """Of the years before the test."""
    events: Events
    """Of the whole catalog, usable, in order."""
    windows: CellWindows
    """Cell-windows of all training years and horizons."""
    calibrations: tuple[Calibration, ...]
    """By horizon, on all training years."""
    dispersions: tuple[float, ...]
    """By horizon: variance of the number of events beyond Poisson's, over the squared mean."""

    def between(self, first: str, stop: str) -> CellWindows:
        """The windows that begin and end between two dates."""
        ends = self.windows.issue + self.windows.horizon
        return self.windows.at((self.windows.issue >= day(first)) & (ends <= day(stop)))


def main(arguments: list[str] | None = None) -> int:
    """Exit status of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m geotools.training.seismicity", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--region", choices=sorted(PLANS), required=True)
    parser.add_argument("--catalog", type=Path, required=True, help="the catalog of the region")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .onnx file")
    parser.add_argument("--learners", type=Path, metavar="DIR",
                        help="fit the other learners too, and write them here")  # fmt: skip
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    torch.set_num_threads(2)
    torch.use_deterministic_algorithms(True)
    started = time.time()
    plan = PLANS[options.region]
    made = material(plan, read_catalog(plan, options.catalog), seed=options.seed)
    net, passes = fitted_net(plan, made, seed=options.seed)
    linear, _ = fitted_net(plan, made, seed=options.seed, hidden=(), members=1)
    result = run_test(plan, made, net, linear, learners=options.learners, seed=options.seed)
    minutes = (time.time() - started) / 60.0
    spec = model_spec(plan, made, result, options.seed, passes)
    rows = np.random.default_rng(options.seed).choice(len(made.windows), 20_000, replace=False)
    spec = export_rates(net, options.output, spec, made.windows.features[rows])
    say(f"parity {dict(spec.parity)}")
    facts = {
        "minutes": minutes,
        "bytes": options.output.stat().st_size,
        "sha256": sha256(options.output),
        "cells": made.backbone.cells,
        "branching": made.backbone.etas.branching_ratio(),
    }
    write_card(options.output.with_suffix(".md"), plan, spec, result, facts)
    return 0


def read_catalog(plan: Plan, path: Path) -> Events:
    """The events of a catalog file that have a magnitude and lie in the years of the plan."""
    table = read_events(path)
    time_days = days(table["time"])
    columns = [table[name].to_numpy() for name in ("longitude", "latitude", "magnitude")]
    kept = (time_days >= day(plan.sources_from)) & ~np.isnan(columns[2])
    return time_days[kept], columns[0][kept], columns[1][kept], columns[2][kept]


def material(plan: Plan, catalog: Events, *, seed: int, draws: tuple[int, int] = DRAWS) -> Material:
    """Backbone, cell-windows and factors of the years before the test.

    Args:
        plan: region and years.
        catalog: its events.
        seed: of the draws.
        draws: of the shortest horizon, and of others.
    """
    say("fit ETAS and background")
    backbone, etas = fitted_backbone(plan, catalog)
    say(f"{etas.parameters}, branching ratio {etas.parameters.branching_ratio():.2f}")
    maps = maps_of(backbone, plan, catalog, etas)
    time_days, longitude, latitude, magnitude = usable_events(backbone, *catalog)
    events: Events = (time_days, longitude, latitude, magnitude)
    parts, calibrations, dispersions = [], [], []
    names = ("background", "with_secondaries")
    for number, horizon in enumerate(plan.horizons_days):
        step = plan.steps_days[number]
        issues = np.arange(day(plan.fit_from), day(plan.test_from) - horizon + 1e-9, step)
        totals = Totals({name: _column(name) for name in names})
        windows = drawn_windows(
            backbone, events, issues_days=issues, horizon_days=horizon,
            draws=draws[min(number, 1)], seed=seed + number, maps=maps, watch=totals,
        )  # fmt: skip
        parts.append(windows)
        calibrations.append(calibrated(windows, horizon))
        held = np.searchsorted(issues, windows.issue)
        counts = np.bincount(held, windows.count, len(issues)).astype(np.float64)
        expected = calibrations[-1].background * totals.of("background")
        expected += calibrations[-1].triggering * totals.of("with_secondaries")
        apart = slice(None, None, round(horizon / step))  # windows that do not overlap
        dispersions.append(dispersion(counts[apart], expected[apart]))
        say(f"{horizon:g} days: {len(windows):,} cell-windows, {calibrations[-1]}")
    return Material(backbone, events, stacked(parts), tuple(calibrations), tuple(dispersions))


def fitted_net(
    plan: Plan,
    made: Material,
    *,
    seed: int,
    hidden: tuple[int, ...] = (32, 32),
    members: int = MEMBERS,
) -> tuple[RateNet, list[int]]:
    """The network, and the passes that each member took.

    Each member is fitted to the first years and followed on the later ones, which says how many
    passes are best; then it is fitted anew to all of them, with as many passes.
    """
    before = made.windows.at(made.windows.issue + made.windows.horizon <= day(plan.stop_from))
    fitted = batch_of(made.between(plan.fit_from, plan.stop_from))
    followed = batch_of(made.between(plan.stop_from, plan.test_from))
    whole = batch_of(made.windows)
    if _events_in(plan, made) < _FEWEST:
        say(f"fewer than {_FEWEST} events: the correction stays zero, this is calibrated ETAS")
        return RateNet(made.calibrations, hidden=hidden), [0]
    nets, passes = [], []
    early = tuple(calibrated(before, one.horizon_days) for one in made.calibrations)
    for member in range(members):
        config = FitConfig(seed=seed + member)
        torch.manual_seed(seed + member)
        trial = RateNet(early, hidden=hidden)
        trial.set_scaling(fitted.features, fitted.horizon)
        name = "network" if hidden else "log-linear"
        best = fit(trial, fitted, followed, config, progress=_passes(f"{name} {member + 1}"))
        torch.manual_seed(seed + member)
        net = RateNet(made.calibrations, hidden=hidden)
        net.set_scaling(whole.features, whole.horizon)
        if best:
            fit(net, whole, None, dataclasses.replace(config, epochs=best))
        nets.append(net)
        passes.append(best)
    return joined(nets, made.calibrations, hidden), passes


def model_spec(
    plan: Plan, made: Material, result: TestResult, seed: int, passes: list[int]
) -> ModelSpec:
    """The spec of the shipped model, without what the export measures."""
    grid = made.backbone.grid
    size_m = float(grid.transform.a * 111_195.0)
    return ModelSpec(
        name=f"{plan.name}-v1",
        version="1",
        task="regression",
        description=f"Expected earthquakes of M {plan.mc:g} and more per cell and window: "
        f"{plan.title}.",
        inputs=(
            InputInfo("features", "features", FEATURES, "events"),
            InputInfo("horizon_days", "horizon", (), "days"),
        ),
        outputs=(OutputInfo("rate", "rates", (), "events per cell and window"),),
        cell_size_m=(size_m, size_m),
        parameters={
            "backbone": made.backbone.to_parameters(),
            "horizons_days": list(plan.horizons_days),
            "calibration": [dataclasses.asdict(one) for one in made.calibrations],
            "dispersion": list(made.dispersions),
            "features": list(FEATURES),
            "corrected_by": list(CHOSEN),
            "thresholds": [plan.mc, *(m for m in (4.0, 5.0, 6.0, 7.0) if m > plan.mc)],
        },
        training={
            "data": plan.data,
            "fit": f"{plan.fit_from} to {plan.test_from}; passes chosen on {plan.stop_from} to "
            f"{plan.test_from} after a fit to the years before",
            "etas": f"{plan.etas_from} to {plan.test_from}",
            "until": str(plan.test_from),
            "test": f"{plan.test_from} to {plan.test_to}",
            "seed": seed,
            "passes": passes,
            "command": f"python -m geotools.training.seismicity --region "
            f"{'california' if 'california' in plan.name else 'global'} --catalog FILE "
            f"-o models/{plan.name}-v1.onnx",
            "scores": [_figures(horizon, gain) for horizon, gain in result.gains],
        },
        licence="BSD-3-Clause",
    )


def _figures(horizon: float, gain: Gain) -> dict[str, Any]:
    """One gain as JSON values."""
    return {
        "horizon_days": horizon,
        "model": gain.model,
        "over": gain.baseline,
        "nats_per_event": round(gain.per_event, 3),
        "interval_95": [round(end, 3) for end in gain.month_interval],
        "events": gain.events,
        "months_won": gain.months.won,
        "months": len(gain.months.labels),
        "without_two_best_months": round(gain.months.without_best(2), 3),
    }


def _events_in(plan: Plan, made: Material) -> int:
    """Events of the years that the network is fitted to."""
    times = made.events[0]
    return int(((times >= day(plan.fit_from)) & (times < day(plan.test_from))).sum())


def _column(name: str) -> Predictor:
    number = FEATURES.index(name)
    return lambda features, cell: features[:, number].astype(np.float64)


def _passes(name: str) -> Callable[[int, float], None]:
    return lambda number, loss: say(f"{name}, pass {number}: loss {loss:.4f}")


def say(text: str) -> None:
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
