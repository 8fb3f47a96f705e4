"""run_once: a model is given nothing but zeros, to see that it runs at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.inference.opening import open_any
from geotools.spec import InputInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.inference.predictor import Predictor

__all__ = ["run_once"]

_SIDE = 32
"""Cells on a side of what a model without a halo is given."""


def run_once(path: str | os.PathLike[str]) -> Predictor:
    """The model in a file, which has been run once on zeros.

    Args:
        path: an `.onnx` file, with a ModelSpec or of somebody else's.

    Raises:
        FileError, ModelError: it cannot be opened, is refused, or does not run.
    """
    model = open_any(path)
    spec = model.spec
    step = spec.stride_multiple
    least = -(-max(_SIDE, 2 * spec.halo + 1) // step) * step
    rows, cols = model.side or (least, least)
    model.run({info.name: _nothing(info, rows, cols) for info in spec.inputs})
    return model


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
