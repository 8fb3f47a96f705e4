"""The other learners on the same features: fitted, exported to ONNX, and proven, as yardsticks.

Classifiers say how likely an event is in a cell-window; two numbers, fitted to the years in which
the networks are followed, bring what they say to rates.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from geotools.seismicity.features import FEATURES
from geotools.spec import InputInfo, ModelSpec, OutputInfo
from geotools.training.seismicity.classifiers import ClassifierGraph
from geotools.training.seismicity.data import CellWindows
from geotools.training.seismicity.export import Parity, proven, traced, write_model
from geotools.training.seismicity.fit import FitConfig, batch_of, fit
from geotools.training.seismicity.learner_nets import DenseNet, RecurrentNet, fit_recurrent
from geotools.training.seismicity.regions import Plan
from geotools.training.seismicity.sequences import SEQUENCE, sequences

if TYPE_CHECKING:
    from geotools.training.seismicity.__main__ import Material

__all__ = ["Learner", "fit_learners"]

_ROWS = 60_000
"""Drawn cell-windows that a learner is fitted to; all that hold events are kept."""

_SVM_ROWS = 6_000
"""Rows for the support vector machine, whose cost grows with their square."""

_PROOF = 5_000
"""Rows of the proof."""


@dataclass(frozen=True, slots=True)
class Learner:
    """A fitted learner whose file is written."""

    name: str
    """For tables."""
    rates: Callable[[CellWindows], NDArray[np.float64]]
    """From cell-windows to expected events, by the exported file."""
    proof: str
    """Bytes of the file, and its largest relative difference from the learner."""


def fit_learners(plan: Plan, made: Material, *, folder: Path, seed: int) -> Iterator[Learner]:
    """Each learner at the shortest horizon, one after the other; files go into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    horizon = np.float32(plan.horizons_days[0])
    early = made.between(plan.fit_from, plan.stop_from)
    late = made.between(plan.stop_from, plan.test_from)
    fitted = _thinned(early.at(early.horizon == horizon), _ROWS, seed)
    followed = _thinned(late.at(late.horizon == horizon), _ROWS, seed + 1)
    yield _dense(plan, made, fitted, followed, folder, seed)
    yield _recurrent(plan, made, fitted, folder, seed)
    for name, (classifier, rows, share) in _classifiers(seed).items():
        part = _thinned(fitted, rows // 2, seed) if rows else fitted
        if rows:  # as many with events as without
            held = np.flatnonzero(part.count > 0)
            kept = np.random.default_rng(seed).permutation(held)[: rows // 2]
            part = part.at(np.concatenate([np.flatnonzero(part.count == 0), kept]))
        graph = ClassifierGraph(classifier, part, share=share)
        graph.calibrate(followed)
        yield _written(plan, made, name, graph, followed, folder)


def _classifiers(seed: int) -> dict[str, tuple[Any, int, float]]:
    """Classifier, rows (0: all), and the power of the weights that it is fitted with."""
    return {
        "random forest": (
            RandomForestClassifier(60, max_depth=9, min_samples_leaf=40, random_state=seed),
            0,
            0.5,
        ),
        "gradient boosting": (
            GradientBoostingClassifier(
                n_estimators=100, learning_rate=0.08, max_depth=3, min_samples_leaf=100,
                subsample=0.5, max_features=12, random_state=seed,
            ),
            0,
            0.5,
        ),
        "logistic regression": (LogisticRegression(C=0.01, max_iter=300), 0, 1.0),
        # Weights that differ by a million leave it with a handful of support vectors, and trees
        # with leaves of a few rows: these take no weights, or their roots.
        "support vector machine": (SVC(C=1.0, gamma="scale"), _SVM_ROWS, 0.0),
    }  # fmt: skip


def _thinned(windows: CellWindows, rows: int, seed: int) -> CellWindows:
    """All rows with events, and about so many of the drawn ones, which stand for more each."""
    drawn = np.flatnonzero(windows.count == 0)
    if len(drawn) <= rows:
        return windows
    chosen = np.random.default_rng(seed).choice(drawn, rows, replace=False)
    kept = windows.at(np.sort(np.concatenate([chosen, np.flatnonzero(windows.count > 0)])))
    return dataclasses.replace(kept, weight=kept.weight * (len(drawn) / rows))


def _log_mean_rate(windows: CellWindows) -> float:
    return float(np.log(windows.count.sum() / windows.weight.sum()))


def _dense(
    plan: Plan,
    made: Material,
    fitted: CellWindows,
    followed: CellWindows,
    folder: Path,
    seed: int,
) -> Learner:
    torch.manual_seed(seed)
    net = DenseNet(fitted.features, _log_mean_rate(fitted))
    config = FitConfig(epochs=15, patience=5, rows=2048, rate=2e-3, seed=seed)
    fit(net, batch_of(fitted), batch_of(followed), config)
    rows = followed.features[:_PROOF]
    window = np.array([plan.horizons_days[0]], dtype=np.float32)
    graph = traced(
        net.eval(),
        (torch.from_numpy(rows[:5].copy()), torch.from_numpy(window)),
        ["features", "horizon_days"],
    )
    feed: dict[str, NDArray[Any]] = {"features": rows, "horizon_days": window}
    with torch.no_grad():
        here = net(torch.from_numpy(rows), torch.from_numpy(window)).numpy()
    parity = proven(graph, feed, here, _WINDOWS)
    path = folder / "dense.onnx"
    spec = _spec(plan, made, "dense", horizon=True)
    write_model(graph, path, spec, parity)
    return _learner(
        "dense network with dropout",
        path,
        parity,
        lambda windows: {"features": windows.features, "horizon_days": window},
    )


def _recurrent(plan: Plan, made: Material, fitted: CellWindows, folder: Path, seed: int) -> Learner:
    torch.manual_seed(seed)
    fitted = _thinned(fitted, _ROWS // 2, seed)
    sequence = sequences(made.backbone, made.events, fitted.issue, fitted.cell)
    net = RecurrentNet(fitted.features, _log_mean_rate(fitted))
    fit_recurrent(net, sequence, fitted, seed=seed)
    some = np.random.default_rng(seed).choice(len(fitted), min(_PROOF, len(fitted)), replace=False)
    feed: dict[str, NDArray[Any]] = {"events": sequence[some], "features": fitted.features[some]}
    tensors = tuple(torch.from_numpy(values) for values in feed.values())
    graph = traced(net, tuple(values[:5] for values in tensors), list(feed))
    with torch.no_grad():
        here = net(*tensors).numpy()
    parity = proven(graph, feed, here, _WINDOWS)
    path = folder / "gru.onnx"
    spec = _spec(plan, made, "gru", horizon=False)
    events = InputInfo("events", "sequence", SEQUENCE, "days, magnitude, km")
    spec = dataclasses.replace(spec, inputs=(events, *spec.inputs))
    write_model(graph, path, spec, parity)
    return _learner(
        "GRU over a cell's last 64 events",
        path,
        parity,
        lambda windows: {
            "events": sequences(made.backbone, made.events, windows.issue, windows.cell),
            "features": windows.features,
        },
    )


def _written(
    plan: Plan,
    made: Material,
    name: str,
    classifier: ClassifierGraph,
    followed: CellWindows,
    folder: Path,
) -> Learner:
    rows = followed.features[:_PROOF]
    graph = classifier.to_onnx()
    parity = proven(graph, {"features": rows}, classifier.rates(rows), _WINDOWS)
    path = folder / f"{name.replace(' ', '-')}.onnx"
    write_model(graph, path, _spec(plan, made, path.stem, horizon=False), parity)
    return _learner(name, path, parity, lambda windows: {"features": windows.features})


_WINDOWS = "cell-windows of the training years"


def _spec(plan: Plan, made: Material, name: str, *, horizon: bool) -> ModelSpec:
    """The spec of a learner's file: the shortest horizon alone."""
    inputs = [InputInfo("features", "features", FEATURES, "events")]
    if horizon:
        inputs.append(InputInfo("horizon_days", "horizon", (), "days"))
    size_m = float(made.backbone.grid.transform.a * 111_195.0)
    return ModelSpec(
        name=f"{plan.name}-{name}",
        version="1",
        task="regression",
        description=f"A yardstick for {plan.name}-v1: {name}.",
        inputs=tuple(inputs),
        outputs=(OutputInfo("rate", "rates", (), "events per cell and window"),),
        cell_size_m=(size_m, size_m),
        parameters={
            "backbone": made.backbone.to_parameters(),
            "horizons_days": [plan.horizons_days[0]],
            "calibration": [dataclasses.asdict(made.calibrations[0])],
            "features": list(FEATURES),
        },
        training={"data": plan.data},
        licence="BSD-3-Clause",
    )


def _learner(
    name: str,
    path: Path,
    parity: Parity,
    feed: Callable[[CellWindows], dict[str, NDArray[Any]]],
) -> Learner:
    """The learner as its file runs."""
    from geotools.training.landforms.export import open_session

    session = open_session(path)

    def rates(windows: CellWindows) -> NDArray[np.float64]:
        parts = []
        for first in range(0, len(windows), 20_000):
            part = windows.at(np.arange(first, min(first + 20_000, len(windows))))
            parts.append(session.run(["rate"], feed(part))[0].ravel())
        return np.concatenate(parts).astype(np.float64)

    proof = f"{path.stat().st_size:,} bytes, difference {parity.max_difference:.0e}"
    return Learner(name, rates, proof)
