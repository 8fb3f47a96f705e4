"""Trials: a model is given nothing but zeros, to see that it runs, and what memory that takes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.inference.opening import open_any
from geotools.process import resident_bytes
from geotools.spec import InputInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.inference.predictor import Predictor

__all__ = ["measure_bytes", "run_once"]

_SIDE = 32
"""Cells on a side of what a model without a halo is given."""

_MEASURED_SIDE = 320
"""The same where its memory is measured: that of smaller ones is lost among other things."""


def run_once(path: str | os.PathLike[str]) -> Predictor:
    """The model in a file, which has been run once on zeros.

    Args:
        path: an `.onnx` file, with a ModelSpec or of somebody else's.

    Raises:
        FileError, ModelError: it cannot be opened, is refused, or does not run.
    """
    model = open_any(path)
    _run(model, _SIDE)
    return model


def measure_bytes(model: Predictor) -> int | None:
    """Working memory of the graph for a cell of a tile; None where the system does not tell.

    What the process has grown by in one run: ONNX Runtime keeps what a run took. A second run of
    the same graph would find nothing. Larger tiles took up to 1.3 times as much per cell as this.
    """
    before = resident_bytes()
    rows, cols = _run(model, _MEASURED_SIDE)
    after = resident_bytes()
    return None if before is None or after is None else max(after - before, 0) // (rows * cols)


def _run(model: Predictor, side: int) -> tuple[int, int]:
    """Runs it on zeros; the rows and columns that it was given, about `side` where it is free."""
    spec = model.spec
    step = spec.stride_multiple
    least = -(-max(side, 2 * spec.halo + 1) // step) * step
    rows, cols = model.side or (least, least)
    model.run({info.name: _nothing(info, rows, cols) for info in spec.inputs})
    return rows, cols


def _nothing(info: InputInfo, rows: int, cols: int) -> NDArray[np.float32]:
    """Zeros in the shape of the input; sizes and times are 1, since they are divided by."""
    bands = len(info.bands)
    shapes: dict[str, tuple[Any, ...]] = {
        "raster": (1, bands, rows, cols),
        "cell_size": (1, 2, rows, 1),
        "features": (1, bands),
        "sequence": (1, info.length, bands // max(info.length, 1)),
        "horizon": (1,),
    }
    fill = np.ones if info.kind in ("cell_size", "horizon") else np.zeros
    return fill(shapes[info.kind], np.float32)
