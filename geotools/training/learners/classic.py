"""The scikit-learn learners: forest, boosting, logistic and svm, for classes and for values.

What stands around the estimators is alike for all: which cells are drawn, how features are
prepared, what becomes of classes that were never seen, and the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from geotools.errors import LabelsError
from geotools.spec import InputInfo
from geotools.training.learners.draw import draw
from geotools.training.learners.graphs import INPUT, Graph
from geotools.training.learners.linear import Constant, fit_logistic, fit_ridge
from geotools.training.learners.prepare import Preparation, prepare
from geotools.training.learners.protocol import Epoch, Fitted, Learner, Material, Traced
from geotools.training.learners.settings import (
    BoostingSettings,
    ForestSettings,
    LogisticSettings,
    SvmSettings,
)
from geotools.training.learners.svm import fit_svm, fit_svr
from geotools.training.learners.trees import fit_boosting, fit_forest

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ClassicSettings", "make_classic"]

ClassicSettings = ForestSettings | BoostingSettings | LogisticSettings | SvmSettings

_LEAST = 1e-5
"""Probabilities are kept above, before they are made to sum to 1: a class that was never seen in
training may be there all the same, and its logarithm is needed."""

_MOST = 0.9
"""Share of its cells that a fit takes over from: where there are few, a quarter more tell more."""

_BLOCK = 16_384
"""Rows predicted at a time."""


class _Model(Protocol):
    """A fitted estimator behind the preparation."""

    @property
    def facts(self) -> dict[str, Any]:
        """For the card."""

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, targets) probabilities or values."""

    def attach(self, graph: Graph, x: str) -> str:
        """The name of the tensor that holds `predict` of the tensor `x`."""


def make_classic(settings: ClassicSettings, *, task: str, balanced: bool) -> Learner:
    """A scikit-learn learner.

    Args:
        settings: of one of the four.
        task: `classification` or `regression`.
        balanced: all classes weigh the same, however many cells they have.
    """
    return _Classic(settings.name, settings, task == "classification", balanced)


@dataclass(slots=True)
class _Classic:
    """A learner of one cell's features."""

    name: str
    """As in the configuration."""
    settings: ClassicSettings
    """Its own."""
    is_classes: bool
    """False for values."""
    balanced: bool
    """See `make_classic`."""

    def fit(
        self,
        material: Material,
        train: NDArray[np.intp],
        validation: NDArray[np.intp] | None,
        *,
        seed: int,
        epochs: int | None = None,
        checkpoint: Path | None = None,
        progress: Callable[[Epoch], None] | None = None,
        like: Fitted | None = None,
    ) -> Fitted:
        """The learner fitted to cells drawn from `train`, see `Learner`."""
        if not len(train):
            raise LabelsError("No labelled cell is left to learn from: check labels and split.")
        target: NDArray[Any] = material.cells.target[train]
        drawn, weight = draw(
            target if self.is_classes else None,
            len(train),
            self.settings.max_cells,
            seed=seed,
            balanced=self.balanced,
        )
        rows, target = material.rows(train[drawn]), target[drawn]
        scaled = isinstance(self.settings, LogisticSettings | SvmSettings)
        preparation = prepare(rows, material.categories, scaled=scaled)
        x = preparation.rows(rows)
        found = None
        if like is not None and like.facts["cells"] > _MOST * len(drawn):
            found = like.facts
        facts: dict[str, Any] = {"cells": len(drawn), "columns": preparation.columns}
        if self.is_classes:
            seen, code = np.unique(target, return_inverse=True)
            model = self._fitted(
                x,
                code.astype(np.int64),
                weight,
                seed,
                classes=len(seen),
                features=rows.shape[1],
                group=material.cells.group[train[drawn]],
                found=found,
            )
            facts["balanced"] = self.balanced
            place = None if len(seen) == len(material.classes) else seen.astype(np.int64)
            return _FittedClassic(
                preparation,
                model,
                material.features,
                {**facts, **model.facts},
                classes=len(material.classes),
                place=place,
            )
        values = target.astype(np.float64)
        middle, spread = float(values.mean()), float(values.std())
        if spread <= 1e-7 * abs(middle):
            spread = 0.0
        scaled_values = (values - middle) / (spread or 1.0)
        model = self._fitted(
            x,
            scaled_values,
            weight,
            seed,
            classes=0,
            features=rows.shape[1],
            group=material.cells.group[train[drawn]],
            found=found,
            constant=not spread,
        )
        return _FittedClassic(
            preparation,
            model,
            material.features,
            {**facts, **model.facts},
            middle=middle,
            spread=spread,
        )

    def _fitted(
        self,
        x: NDArray[np.float32],
        target: NDArray[Any],
        weight: NDArray[np.float64],
        seed: int,
        *,
        classes: int,
        features: int,
        group: NDArray[np.integer],
        found: Mapping[str, Any] | None,
        constant: bool = False,
    ) -> _Model:
        if constant or classes == 1:
            return Constant(1.0 if classes else 0.0)
        seed %= 2**32  # as far as scikit-learn counts
        # Threads of OpenMP and BLAS wait for each other at every step: beside other work boosting
        # takes ten times as long on two of them, and sums depend on their number.
        with threadpool_limits(1):
            return self._estimated(x, target, weight, seed, classes, features, group, found)

    def _estimated(
        self,
        x: NDArray[np.float32],
        target: NDArray[Any],
        weight: NDArray[np.float64],
        seed: int,
        classes: int,
        features: int,
        group: NDArray[np.integer],
        found: Mapping[str, Any] | None,
    ) -> _Model:
        match self.settings:
            case ForestSettings():
                return fit_forest(x, target, weight, self.settings, seed, classes=classes)
            case BoostingSettings():
                return fit_boosting(x, target, weight, self.settings, seed, classes=classes)
            case LogisticSettings():
                fit = fit_logistic if classes else fit_ridge
                return fit(x, target, weight, self.settings)
            case SvmSettings() if classes:
                return fit_svm(
                    x,
                    target,
                    weight,
                    self.settings,
                    seed,
                    features=features,
                    group=group,
                    found=found,
                )
            case SvmSettings():
                return fit_svr(
                    x,
                    target,
                    weight,
                    self.settings,
                    seed,
                    features=features,
                    group=group,
                    found=found,
                )


@dataclass(frozen=True, slots=True, eq=False)
class _FittedClassic:
    """An estimator with what stands in front of it and behind it."""

    preparation: Preparation
    """In front."""
    model: _Model
    """The estimator."""
    features: tuple[str, ...]
    """Names of the features."""
    facts: dict[str, Any]
    """See `Fitted`."""
    classes: int = 0
    """Classes of the output; 0 for values."""
    place: NDArray[np.int64] | None = None
    """Classes that the model's columns stand for, when it does not know all."""
    middle: float = 0.0
    """Mean of the values learned from."""
    spread: float = 1.0
    """Their standard deviation, which is what the model's values are in."""

    @property
    def curve(self) -> tuple[Epoch, ...]:
        """Empty."""
        return ()

    def predict(self, material: Material, index: NDArray[np.intp]) -> NDArray[np.float32]:
        """(n, K) probabilities that sum to 1, or (n, 1) values, at these cells."""
        out = np.empty((len(index), self.classes or 1), dtype=np.float32)
        for first in range(0, len(index), _BLOCK):
            part = slice(first, first + _BLOCK)
            x = self.preparation.rows(material.rows(index[part]))
            with threadpool_limits(1):
                said = self.model.predict(x)
            out[part] = self._finished(said)
        return out

    def trace(self, temperature: float = 1.0) -> Traced:
        """The graph, with the preparation and p^(1/temperature) (normalised) inside."""
        graph = Graph(self.preparation.features)
        said = self.model.attach(graph, self.preparation.attach(graph))
        if self.classes:
            last = self._attach_finish(graph, said, temperature)
            model = graph.close(last, "probabilities", self.classes)
        else:
            wide = graph.add("Mul", said, graph.scalar(self.spread))
            last = graph.add("Add", wide, graph.scalar(self.middle))
            model = graph.close(last, "values", 1)
        return Traced(model, (InputInfo(INPUT, "features", tuple(self.features)),))

    def _finished(self, said: NDArray[np.float64]) -> NDArray[np.float64]:
        if not self.classes:
            return np.asarray(said * self.spread + self.middle)
        p = said
        if self.place is not None:
            p = np.zeros((len(said), self.classes))
            p[:, self.place] = said
        p = np.maximum(p, _LEAST)
        return np.asarray(p / p.sum(1, keepdims=True))

    def _attach_finish(self, graph: Graph, said: str, temperature: float) -> str:
        if self.place is not None:
            spread = np.zeros((len(self.place), self.classes), dtype=np.float32)
            spread[np.arange(len(self.place)), self.place] = 1.0
            said = graph.add("MatMul", said, graph.constant(spread))
        p = graph.add("Max", said, graph.scalar(_LEAST))
        if temperature != 1.0:
            p = graph.add("Pow", p, graph.scalar(1.0 / temperature))
        columns = graph.constant(np.array([1], dtype=np.int64))
        return graph.add("Div", p, graph.add("ReduceSum", p, columns))
