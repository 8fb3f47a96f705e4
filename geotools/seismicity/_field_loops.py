# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Compiled loops of a `TriggeringField`: weighted sums of sparse rows, and decay from a table."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.compiled import compiled

Array = NDArray[Any]


@compiled()
def weighted_rows(
    indptr: Array, columns: Array, shares: Array, weights: Array, cells: Array
) -> None:
    """Add the first rows, as many as there are weights, times their weights to `cells`."""
    for event in range(len(weights)):
        weight = weights[event]
        for k in range(indptr[event], indptr[event + 1]):
            cells[columns[k]] += weight * shares[k]


@compiled()
def weighted_row_pairs(
    indptr: Array, columns: Array, shares: Array, weights: Array,
    other_indptr: Array, other_columns: Array, other_shares: Array, other_weights: Array,
    cells: Array,
) -> None:  # fmt: skip
    """Add the weighted rows of two matrices to `cells`, both of one event before the next."""
    for event in range(len(weights)):
        weight = weights[event]
        for k in range(indptr[event], indptr[event + 1]):
            cells[columns[k]] += weight * shares[k]
        weight = other_weights[event]
        for k in range(other_indptr[event], other_indptr[event + 1]):
            cells[other_columns[k]] += weight * other_shares[k]


@compiled()
def from_table(age: Array, c: float, first: float, step: float, table: Array) -> Array:
    """e^ of the table at log(age + c), by Catmull-Rom splines; table nodes from `first` by `step`.

    Ages beyond the table take its end.
    """
    out = np.empty(len(age))
    for event in range(len(age)):
        place = (math.log(age[event] + c) - first) / step
        place = min(max(place, 0.0), len(table) - 1.0)
        k = min(int(place), len(table) - 2)
        u = place - k
        p1, p2 = table[k], table[k + 1]
        p0 = table[k - 1] if k > 0 else 2 * p1 - p2
        p3 = table[k + 2] if k + 2 < len(table) else 2 * p2 - p1
        cubic = p1 + 0.5 * u * (
            p2 - p0 + u * (2 * p0 - 5 * p1 + 4 * p2 - p3 + u * (3 * (p1 - p2) + p3 - p0))
        )
        out[event] = math.exp(cubic)
    return out
