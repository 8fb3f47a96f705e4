"""Random forests and boosted trees, fitted by scikit-learn, and their trees as one ONNX node.

Nodes are written from the trees themselves, not converted: leaves keep only the classes they hold,
and thresholds part numbers of float32 as scikit-learn does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from geotools.training.learners.graphs import Graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.training.learners.settings import BoostingSettings, ForestSettings

__all__ = ["Boosted", "Forest", "fit_boosting", "fit_forest"]

_MOST_LEAVES = 200_000
"""Leaves of a forest in all: some 15 MB of file."""


_BOOSTING_FEATURES = 0.3
"""Share of the columns that a split of boosting may choose from."""

_BOOSTING_PENALTY = 5.0
"""On squared leaf values. Without these two boosting is far too sure of itself on a few hundred
cells of some polygons: log loss 1.7 and not 0.7, accuracy 0.75 and not 0.80 on Landsat pixels of
polygons left out."""

_NODES_AT_ONCE = 5000
"""Nodes of the trees that rows are taken through at a time: they fit the cache of a core."""


@dataclass(frozen=True, slots=True, eq=False)
class _Tree:
    """The nodes of one tree; node 0 is the root."""

    feature: NDArray[np.int64]
    """(nodes,) column that is looked at."""
    threshold: NDArray[np.float64]
    """(nodes,) the left branch is taken where the column is not above."""
    left: NDArray[np.int64]
    """(nodes,)."""
    right: NDArray[np.int64]
    """(nodes,)."""
    leaf: NDArray[np.bool_]
    """(nodes,) True where there are no branches."""
    weights: NDArray[np.float64]
    """(nodes, targets) what a leaf adds to each target."""
    first: int = 0
    """Target of the first column of `weights`."""


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """The mean of trees."""

    estimator: Any
    """Fitted."""
    targets: int
    """Classes, or 1 for values."""
    facts: dict[str, Any]
    """For the card."""

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, targets) probabilities or values."""
        said = self.estimator
        out = said.predict_proba(x) if hasattr(said, "classes_") else said.predict(x)
        return np.asarray(out, dtype=np.float64).reshape(len(x), self.targets)

    def attach(self, graph: Graph, x: str) -> str:
        """The name of the tensor that holds `predict` of the tensor `x`."""
        number = len(self.estimator.estimators_)
        trees = []
        for one in self.estimator.estimators_:
            tree = one.tree_
            trees.append(
                _Tree(
                    tree.feature,
                    tree.threshold,
                    tree.children_left,
                    tree.children_right,
                    tree.children_left < 0,
                    tree.value[:, 0, :] / number,
                )
            )
        return _attach_trees(graph, x, trees, self.targets)


@dataclass(frozen=True, slots=True, eq=False)
class Boosted:
    """The sum of trees, one per round and class."""

    estimator: Any
    """Fitted."""
    targets: int
    """Classes, or 1 for values."""
    facts: dict[str, Any]
    """For the card."""

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, targets) probabilities or values."""
        said = self.estimator
        out = said.predict_proba(x) if self.targets > 1 else said.predict(x)
        return np.asarray(out, dtype=np.float64).reshape(len(x), self.targets)

    def attach(self, graph: Graph, x: str) -> str:
        """The name of the tensor that holds `predict` of the tensor `x`."""
        # scikit-learn has no public way to the trees of this estimator.
        base = np.ravel(self.estimator._baseline_prediction).astype(np.float64)
        trees = []
        for one_round in self.estimator._predictors:
            for target, one in enumerate(one_round):
                nodes = one.nodes
                trees.append(
                    _Tree(
                        nodes["feature_idx"].astype(np.int64),
                        nodes["num_threshold"],
                        nodes["left"].astype(np.int64),
                        nodes["right"].astype(np.int64),
                        nodes["is_leaf"].astype(bool),
                        nodes["value"][:, None],
                        target,
                    )
                )
        scores = _attach_trees(graph, x, trees, len(base))
        scores = graph.add("Add", scores, graph.constant(base.astype(np.float32)))
        if self.targets == 1:
            return scores
        if len(base) == 1:  # two classes: the score of the second against the first
            scores = graph.add("Mul", scores, graph.constant(np.array([-0.5, 0.5], np.float32)))
        return graph.add("Softmax", scores, axis=1)


def fit_forest(
    x: NDArray[np.float32],
    target: NDArray[Any],
    weight: NDArray[np.float64],
    settings: ForestSettings,
    seed: int,
    *,
    classes: int,
) -> Forest:
    """A random forest (Breiman 2001).

    Args:
        x: (n, columns).
        target: (n,) index of the class from 0, none missing; or values.
        weight: (n,) of the cells, of mean 1.
        settings: trees, depth, min_leaf.
        seed: of the draws.
        classes: number of classes, 0 for values.
    """
    kind = RandomForestClassifier if classes else RandomForestRegressor
    estimator = kind(
        n_estimators=settings.trees,
        max_depth=settings.depth,
        min_samples_leaf=settings.min_leaf,
        max_leaf_nodes=max(_MOST_LEAVES // settings.trees, 2),
        max_features="sqrt" if classes else 1 / 3,
        random_state=seed,
        n_jobs=-1,
    )
    estimator.fit(x, target, sample_weight=weight)
    # One thread adds the trees in one order; several do it in any.
    estimator.set_params(n_jobs=1)
    leaves = sum(int(one.tree_.n_leaves) for one in estimator.estimators_)
    return Forest(estimator, classes or 1, {"trees": settings.trees, "leaves": leaves})


def fit_boosting(
    x: NDArray[np.float32],
    target: NDArray[Any],
    weight: NDArray[np.float64],
    settings: BoostingSettings,
    seed: int,
    *,
    classes: int,
) -> Boosted:
    """Gradient boosting on histograms of 255 bins (Ke et al. 2017).

    Args: as `fit_forest`.
    """
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    # Stopping early would ask cells beside those learned from, which say yes to anything.
    estimator = kind(
        max_iter=settings.trees,
        learning_rate=settings.learning_rate,
        max_leaf_nodes=settings.leaves,
        max_features=_BOOSTING_FEATURES,
        l2_regularization=_BOOSTING_PENALTY,
        early_stopping=False,
        random_state=seed,
    )
    estimator.fit(x, target, sample_weight=weight)
    trees = sum(len(one_round) for one_round in estimator._predictors)
    return Boosted(estimator, classes or 1, {"rounds": settings.trees, "trees": trees})


def _attach_trees(graph: Graph, x: str, trees: Sequence[_Tree], targets: int) -> str:
    """The name of the tensor (N, targets) of what the leaves add up to.

    Rows go through few trees at a time: through a whole forest each of them would wait for memory,
    three times as long.
    """
    ends = np.cumsum([len(tree.leaf) for tree in trees]) // _NODES_AT_ONCE
    parts = []
    for one in np.unique(ends):
        few = [tree for tree, end in zip(trees, ends, strict=True) if end == one]
        parts.append(_attach_few(graph, x, few, targets))
    return parts[0] if len(parts) == 1 else graph.add("Sum", *parts)


def _attach_few(graph: Graph, x: str, trees: Sequence[_Tree], targets: int) -> str:
    sizes = [len(tree.leaf) for tree in trees]
    leaf = np.concatenate([tree.leaf for tree in trees])
    node = np.concatenate([np.arange(size) for size in sizes])
    tree_of = np.repeat(np.arange(len(trees)), sizes)
    owner, where, target, weight = [], [], [], []
    for number, tree in enumerate(trees):
        # Every leaf has a weight, if only one of 0.
        kept = (tree.weights != 0) & tree.leaf[:, None]
        kept[:, 0] |= tree.leaf & ~kept.any(1)
        nodes, columns = np.nonzero(kept)
        owner.append(np.full(len(nodes), number))
        where.append(nodes)
        target.append(columns + tree.first)
        weight.append(tree.weights[nodes, columns])
    joined = {
        "nodes_treeids": tree_of,
        "nodes_nodeids": node,
        "nodes_featureids": np.where(leaf, 0, np.concatenate([t.feature for t in trees])),
        "nodes_modes": np.where(leaf, b"LEAF", b"BRANCH_LEQ"),
        "nodes_values": np.where(leaf, 0, _below(np.concatenate([t.threshold for t in trees]))),
        "nodes_truenodeids": np.where(leaf, 0, np.concatenate([t.left for t in trees])),
        "nodes_falsenodeids": np.where(leaf, 0, np.concatenate([t.right for t in trees])),
        "target_treeids": np.concatenate(owner),
        "target_nodeids": np.concatenate(where),
        "target_ids": np.concatenate(target),
        "target_weights": np.concatenate(weight).astype(np.float32),
    }
    fixed = {"n_targets": targets, "aggregate_function": "SUM", "post_transform": "NONE"}
    return graph.add_ml("TreeEnsembleRegressor", x, {**fixed, **joined})


def _below(threshold: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 not above: it parts numbers of float32 as the threshold itself does."""
    near = threshold.astype(np.float32)
    return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near)
