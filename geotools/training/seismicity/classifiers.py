"""A scikit-learn classifier of cell-windows as a graph from features to rates.

In front of it logarithms and scaling, behind it -log(1 - p) and two factors; `rates` computes the
same outside the graph, for the proof.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, compose, helper, numpy_helper
from skl2onnx import to_onnx

from geotools.seismicity.features import FEATURES
from geotools.training.landforms.export import OPSET
from geotools.training.seismicity.data import CellWindows
from geotools.training.seismicity.learner_nets import scaling
from geotools.training.seismicity.nets import floors

__all__ = ["ClassifierGraph"]

_LEAST, _MOST = 1e-9, 0.999
"""Probabilities are kept between these: a forest gives 0 where it saw no event."""


_LOG_RATES = (-30.0, 10.0)
"""Logarithms of rates are kept between these: none may be 0."""

_NEWTON_STEPS = 100


class ClassifierGraph:
    """A classifier with what stands in front of it and behind it."""

    def __init__(self, classifier: Any, windows: CellWindows, *, share: float) -> None:
        self.mean, self.scale = scaling(windows.features)
        self.classifier = classifier
        # A probability of 1e-6 has few digits in float32 when it is made as 1 - 0.999999; the
        # margin of a linear classifier is its logarithm, but for what the two factors take up.
        self.margin = not hasattr(classifier, "n_estimators") and hasattr(
            classifier, "decision_function"
        )
        weight = np.where(windows.count > 0, windows.count, windows.weight) ** share
        classifier.fit(self._scaled(windows.features), windows.count > 0, sample_weight=weight)
        self.offset, self.slope = 0.0, 1.0

    def calibrate(self, windows: CellWindows) -> None:
        """Sets the two factors of log rate = offset + slope score, by Poisson likelihood."""
        score = self._score(windows.features)
        events = windows.count.sum()
        # Scaled to spread 1; the loss is convex.
        middle, spread = score.mean(), score.std()
        terms = np.stack([np.ones(len(score)), (score - middle) / spread])

        def loss(factors: NDArray[np.float64]) -> float:
            log_rate = np.minimum(factors @ terms, 50.0)
            return float((windows.weight * np.exp(log_rate) - windows.count * log_rate).sum())

        factors = np.array([np.log(events / windows.weight.sum()), 0.0])
        for _ in range(_NEWTON_STEPS):
            rate = windows.weight * np.exp(np.minimum(factors @ terms, 50.0))
            step = np.linalg.solve((terms * rate) @ terms.T, terms @ (windows.count - rate))
            while loss(factors + step) > loss(factors) and np.abs(step).max() > 1e-9:
                step = 0.5 * step
            factors = factors + step
            if np.abs(step).max() < 1e-8:
                break
        offset, slope = factors
        self.slope = float(slope / spread)
        self.offset = float(offset - self.slope * middle)

    def rates(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """(rows,) expected events."""
        log_rate = self.offset + self.slope * self._score(features)
        return np.asarray(np.exp(np.clip(log_rate, *_LOG_RATES)))

    def to_onnx(self) -> onnx.ModelProto:
        """The graph from `features` to `rate`."""
        options = {id(self.classifier): {"zipmap": False}}
        if self.margin:
            options[id(self.classifier)]["raw_scores"] = True
        with warnings.catch_warnings():
            # The converter asks scikit-learn for names that are on their way out.
            warnings.simplefilter("ignore", FutureWarning)
            middle = to_onnx(
                self.classifier,
                np.zeros((1, len(FEATURES)), np.float32),
                options=options,
                target_opset={"": OPSET, "ai.onnx.ml": 3},
            )
        said = middle.graph.output[1].name
        front = self._front(middle)
        joined = compose.merge_models(
            front, middle, io_map=[("scaled", middle.graph.input[0].name)], outputs=[said]
        )
        graph = joined.graph
        while graph.output:
            graph.output.pop()
        nodes, constants = self._behind(said)
        graph.node.extend(nodes)
        graph.initializer.extend(constants)
        graph.output.append(helper.make_tensor_value_info("rate", TensorProto.FLOAT, ["N"]))
        return joined

    def _scaled(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        values = (np.log(features + floors()) - self.mean) / self.scale
        return np.asarray(np.clip(values, -5.0, 5.0), dtype=np.float32)

    def _score(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        x = self._scaled(features)
        if self.margin:
            return np.asarray(self.classifier.decision_function(x), dtype=np.float64)
        p = np.clip(self.classifier.predict_proba(x)[:, 1], _LEAST, _MOST)
        return np.asarray(np.log(-np.log1p(-p)))

    def _front(self, middle: onnx.ModelProto) -> onnx.ModelProto:
        """Logarithms and scaling."""
        constants = {
            "floor": floors(), "mean": self.mean, "spread": self.scale,
            "low": np.float32(-5.0), "high": np.float32(5.0),
        }  # fmt: skip
        nodes = [
            helper.make_node("Add", ["features", "floor"], ["raised"]),
            helper.make_node("Log", ["raised"], ["logs"]),
            helper.make_node("Sub", ["logs", "mean"], ["centred"]),
            helper.make_node("Div", ["centred", "spread"], ["wide"]),
            helper.make_node("Clip", ["wide", "low", "high"], ["scaled"]),
        ]
        shape: list[str | int | None] = ["N", len(FEATURES)]
        graph = helper.make_graph(
            nodes,
            "front",
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("scaled", TensorProto.FLOAT, shape)],
            _tensors(constants),
        )
        model = helper.make_model(graph, opset_imports=list(middle.opset_import))
        model.ir_version = middle.ir_version
        return model

    def _behind(self, said: str) -> tuple[list[Any], list[Any]]:
        """From what the classifier says, (N, 2) or (N, 1), to the rate (N,)."""
        constants = {
            "last": np.int64(-1), "offset": np.float32(self.offset),
            "slope": np.float32(self.slope), "least": np.float32(_LEAST),
            "most": np.float32(_MOST), "one": np.float32(1.0), "half": np.float32(0.5),
            "small": np.float32(1e-3), "lowest": np.float32(_LOG_RATES[0]),
            "highest": np.float32(_LOG_RATES[1]),
        }  # fmt: skip
        node = helper.make_node
        nodes = [node("Gather", [said, "last"], ["said"], axis=1)]
        score = "said"
        if not self.margin:
            score = "score"
            nodes += [
                node("Clip", ["said", "least", "most"], ["p"]),
                # -log(1 - p), by its series where 1 - p has too few digits.
                node("Mul", ["p", "half"], ["p_half"]),
                node("Add", ["one", "p_half"], ["series_factor"]),
                node("Mul", ["p", "series_factor"], ["series"]),
                node("Sub", ["one", "p"], ["rest"]),
                node("Log", ["rest"], ["log_rest"]),
                node("Neg", ["log_rest"], ["exact"]),
                node("Less", ["p", "small"], ["is_small"]),
                node("Where", ["is_small", "series", "exact"], ["number"]),
                node("Log", ["number"], ["score"]),
            ]
        nodes += [
            node("Mul", [score, "slope"], ["sloped"]),
            node("Add", ["sloped", "offset"], ["free"]),
            node("Clip", ["free", "lowest", "highest"], ["log_rate"]),
            node("Exp", ["log_rate"], ["rate"]),
        ]
        used = {name for one in nodes for name in one.input}
        return nodes, _tensors({k: v for k, v in constants.items() if k in used})


def _tensors(constants: dict[str, Any]) -> list[Any]:
    return [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
