"""The test of a forecast model: every window of the test years, beside every baseline.

The windows follow one another without overlap; the backbone is that of the file, and what comes
before an issue time is all that features see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from geotools.evaluation.gains import Gain
from geotools.seismicity.features import FEATURES
from geotools.training.seismicity.data import drawn_windows
from geotools.training.seismicity.nets import Calibration, RateNet
from geotools.training.seismicity.regions import Plan, day
from geotools.training.seismicity.scores import (
    Predictor,
    Scored,
    Totals,
    gain_over,
    score_exact,
    score_sampled,
)

if TYPE_CHECKING:
    from geotools.training.seismicity.__main__ import Material
    from geotools.training.seismicity.learners import Learner

__all__ = ["DIRECT", "MODEL", "SECONDARY", "TestResult", "baselines", "run_test"]

MODEL = "residual network"
DIRECT = "ETAS without secondaries, calibrated"
SECONDARY = "ETAS with secondaries, calibrated"
_LINEAR = "log-linear correction"

_DRAWS = 120_000
"""Cell-windows of the test years on which the other learners' totals are estimated."""


@dataclass(frozen=True, slots=True, eq=False)
class TestResult:
    """Gains on the test years."""

    gains: list[tuple[float, Gain]]
    """Horizon in days, and the gain of a forecast over a baseline."""
    expected: dict[tuple[float, str], float] = field(default_factory=dict)
    """By horizon and forecast: events expected in all test windows."""
    observed: dict[float, int] = field(default_factory=dict)
    """By horizon: events in the test windows."""
    windows: dict[float, int] = field(default_factory=dict)
    """By horizon: number of test windows."""
    learners: dict[str, str] = field(default_factory=dict)
    """By learner: how its export compares with it, for people."""

    def gain(self, horizon: float, model: str, over: str) -> Gain | None:
        """One of the gains; None when it was not measured."""
        for days, one in self.gains:
            if days == horizon and (one.model, one.baseline) == (model, over):
                return one
        return None


def run_test(
    plan: Plan,
    made: Material,
    net: RateNet,
    linear: RateNet,
    *,
    learners: Path | None,
    seed: int,
) -> TestResult:
    """The gains of network, log-linear correction, baselines and learners on the test years.

    Args:
        plan: region and years.
        made: backbone, training windows and factors.
        net: the network.
        linear: the same with a linear correction.
        learners: folder for the other learners, which are fitted at the shortest horizon when one
            is given.
        seed: of draws and learners.
    """
    result = TestResult([])
    others: list[Learner] = []
    if learners is not None:
        from geotools.training.seismicity.learners import fit_learners

        others = list(fit_learners(plan, made, folder=learners, seed=seed))
    for calibration in made.calibrations:
        horizon = calibration.horizon_days
        forecasts: dict[str, Predictor] = {
            MODEL: _by_net(net, horizon),
            _LINEAR: _by_net(linear, horizon),
            **baselines(made, calibration),
        }
        issues = np.arange(day(plan.test_from), day(plan.test_to) - horizon + 1e-9, horizon)
        totals = Totals(forecasts)
        windows = drawn_windows(
            made.backbone, made.events, issues_days=issues, horizon_days=horizon,
            draws=_DRAWS, seed=seed + 100, watch=totals,
        )  # fmt: skip
        scored = {name: score_exact(name, one, windows, totals) for name, one in forecasts.items()}
        if calibration is made.calibrations[0]:
            base = forecasts[SECONDARY](windows.features, windows.cell)
            for learner in others:
                rates = learner.rates(windows)
                scored[learner.name] = score_sampled(
                    learner.name, rates, windows, issues, base, scored[SECONDARY].totals
                )
                result.learners[learner.name] = learner.proof
        result.observed[horizon] = int(windows.count.sum())
        result.windows[horizon] = len(issues)
        for name, one in scored.items():
            result.expected[horizon, name] = float(one.totals.sum())
        result.gains.extend(
            (horizon, gain_over(scored[model], scored[over], windows, issues))
            for model, over in _pairs(scored)
        )
    return result


def baselines(made: Material, calibration: Calibration) -> dict[str, Predictor]:
    """The baselines of one horizon, from weakest to strongest.

    Uniform: the long-term number of events, even by area. Mean: half smoothed seismicity, half
    ETAS with secondaries.
    """
    backbone = made.backbone
    area = np.broadcast_to(backbone.grid.cell_area_m2()[:, None], backbone.grid.shape)
    inside = area[backbone.region]
    long_term = float(backbone.smoothed[backbone.region].sum()) * calibration.horizon_days
    uniform = long_term * inside / inside.sum()  # (cells,)

    def column(features: NDArray[np.float32], name: str) -> NDArray[np.float64]:
        return features[:, FEATURES.index(name)].astype(np.float64)

    def etas(features: NDArray[np.float32], a: float, b: float, name: str) -> NDArray[np.float64]:
        return a * column(features, "background") + b * column(features, name)

    one = calibration
    with_secondaries = one.background, one.triggering, "with_secondaries"
    direct = one.background_direct, one.triggering_direct, "triggered"
    return {
        "uniform": lambda features, cell: uniform[cell],
        "smoothed seismicity": lambda features, cell: column(features, "smoothed"),
        "mean of smoothed and ETAS": lambda features, cell: (
            0.5 * (column(features, "smoothed") + etas(features, *with_secondaries))
        ),
        DIRECT: lambda features, cell: etas(features, *direct),
        SECONDARY: lambda features, cell: etas(features, *with_secondaries),
    }


def _by_net(net: RateNet, horizon: float) -> Predictor:
    window = torch.tensor([horizon])

    def predict(features: NDArray[np.float32], cell: NDArray[np.int64]) -> NDArray[np.float64]:
        with torch.no_grad():
            rates: NDArray[np.float32] = net(torch.from_numpy(features), window).numpy()
        return rates.astype(np.float64)

    return predict


def _pairs(scored: Mapping[str, Scored]) -> list[tuple[str, str]]:
    """Which forecast is compared with which."""
    pairs = [
        ("smoothed seismicity", "uniform"),
        (DIRECT, "smoothed seismicity"),
        (SECONDARY, DIRECT),
        ("mean of smoothed and ETAS", SECONDARY),
        (MODEL, "uniform"),
        (MODEL, "smoothed seismicity"),
        (MODEL, _LINEAR),
    ]
    weaker = {"uniform", "smoothed seismicity", "mean of smoothed and ETAS", DIRECT, SECONDARY}
    for name in scored:
        if name not in weaker:
            pairs += [(name, DIRECT), (name, SECONDARY)]
    return pairs
