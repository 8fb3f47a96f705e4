"""told_by: features that say the label by themselves, as a copy of it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.training.material import TableMaterial

__all__ = ["copy_words", "told_by"]

_SEEN = 100_000
"""Cells that are looked at; of more, some are drawn."""
_RIGHT = 0.999
"""Share of the cells, and of those of every class, that a copy tells."""
_VALUES = 3
"""Values for each class that a copy has at most: quantities have more."""
_FEW = 2_000
"""Cells that are looked at first: quantities show more values than that in them."""
_STRAIGHT = 0.9999
"""Correlation with the values to learn, of either sign, above which a feature is a copy."""


def told_by(material: TableMaterial, *, seed: int = 0) -> list[str]:
    """Names of the features that tell the class of every cell by a few values, or whose values are
    those to learn, scaled.

    Args:
        material: the labelled cells and their features.
        seed: of the draw among many cells.
    """
    target = material.cells.target
    index = np.arange(len(target))
    if len(index) > _SEEN:
        index = np.sort(np.random.default_rng(seed).choice(index, _SEEN, replace=False))
    rows, target = material.rows(index), target[index]
    tells = _tells if material.cells.is_classes else _follows
    return [name for name, one in zip(material.features, rows.T, strict=True) if tells(one, target)]


def copy_words(feature: str, *, classes: bool) -> str:
    """What is said of such a feature."""
    what = "tells the class" if classes else "follows the value"
    return (
        f"The feature {feature} {what} of every labelled cell: is it the label itself? Then the "
        "score says nothing: leave it out of features."
    )


def _tells(values: NDArray[np.float32], target: NDArray[Any]) -> bool:
    """True when each value stands for one class, for every class and nearly everywhere."""
    classes = len(np.unique(target))
    most = _VALUES * classes
    if classes < 2 or len(np.unique(values[:_FEW])) > most:
        return False
    found, place = np.unique(values, return_inverse=True)
    if len(found) > most:
        return False
    count = np.zeros((len(found), int(target.max()) + 1), np.int64)
    np.add.at(count, (place.reshape(-1), target), 1)
    told = np.zeros(count.shape[1], np.int64)
    np.add.at(told, count.argmax(axis=1), count.max(axis=1))
    total = count.sum(axis=0)
    there = total > 0
    return bool(told.sum() >= _RIGHT * total.sum() and (told >= _RIGHT * total)[there].all())


def _follows(values: NDArray[np.float32], target: NDArray[Any]) -> bool:
    """True when the values are those to learn, but for scale and offset."""
    known = np.isfinite(values)
    one, other = values[known].astype(np.float64), target[known].astype(np.float64)
    if len(one) < 3 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return False
    return bool(abs(np.corrcoef(one, other)[0, 1]) > _STRAIGHT)
