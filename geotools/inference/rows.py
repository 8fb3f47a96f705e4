"""run_rows: a model of single cells, or of rows of a table, in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.inference.predictor import Predictor

__all__ = ["run_rows"]

_BATCH = 16_384
"""Rows in one call: support vector machines become slow beyond, trees gain nothing."""

_MULTIPLE = 64
"""Batches are as long; a few rows alone would take other kernels, with other last digits."""


def run_rows(model: Predictor, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, classes or values) float32: what the model gives for every row.

    Args:
        model: one whose only input is of kind `features` or `sequence`.
        rows: (n, features) in the order of that input's bands; NaN where a feature is undefined.

    Raises:
        ModelError: it takes something else, or gives other than one line a row.
    """
    info = model.spec.inputs[0]
    if len(model.spec.inputs) != 1 or info.kind not in ("features", "sequence"):
        kinds = ", ".join(item.kind for item in model.spec.inputs)
        raise ModelError(f"The model {model.file} takes {kinds}, not rows: give it a raster.")
    if info.kind == "sequence" and (info.length < 1 or rows.shape[1] % info.length):
        raise ModelError(
            f"The model {model.file} takes {rows.shape[1]} features as {info.length} dates: "
            "export it again."
        )
    parts: list[NDArray[np.float32]] = []
    for first in range(0, len(rows), _BATCH):
        batch = rows[first : first + _BATCH]
        missing = -len(batch) % _MULTIPLE
        padded = np.pad(batch, ((0, missing), (0, 0)), mode="edge") if missing else batch
        if info.kind == "sequence":
            padded = padded.reshape(len(padded), info.length, -1)  # (n, dates, bands)
        given = model.run({info.name: np.ascontiguousarray(padded, np.float32)})[0]
        if given.ndim == 0 or len(given) != len(padded):
            raise ModelError(
                f"The model {model.file} gives {given.shape} for {len(padded)} rows: export it "
                "again."
            )
        lines = given.reshape(len(padded), -1)[: len(batch)]
        parts.append(lines.astype(np.float32, copy=False))
    if not parts:
        return np.zeros((0, model.channels), np.float32)
    return np.concatenate(parts)
