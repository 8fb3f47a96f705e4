"""Layout: how the graph of somebody else's model takes its bands and gives its map.

Only shapes and types are looked at; what the numbers mean is said by metadata and flags.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Head", "Layout", "layout_of"]

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(uint16)": np.uint16,
    "tensor(int16)": np.int16,
    "tensor(int32)": np.int32,
}
"""ONNX Runtime's names of the types that bands may have."""

_WHOLE = {
    "tensor(bool)", "tensor(int8)", "tensor(int16)", "tensor(int32)", "tensor(int64)",
    "tensor(uint8)", "tensor(uint16)", "tensor(uint32)",
}  # fmt: skip
"""Of whole numbers, in outputs."""

_MOST_BANDS = 64
"""More channels than this beside fewer at the other end are taken for a side."""

_MOST_CELLS = 2**26
"""Numbers in one input or output: a block of 4096 x 4096 with 4 bands, 256 MB."""

_MOST_BATCH = 64


@dataclass(frozen=True, slots=True)
class Head:
    """One output of the graph."""

    name: str
    """Name of the graph output."""
    shape: tuple[int | None, ...]
    """Its shape; None where it depends on the input."""
    is_float: bool
    """Whether it holds fractions."""
    is_whole: bool = False
    """Whether it holds whole numbers, such as those of classes."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The one input of an image model, and its outputs."""

    name: str
    """Name of the graph input."""
    dtype: Any
    """numpy type of the input."""
    last: bool
    """True for (N, H, W, bands), False for (N, bands, H, W)."""
    batch: int
    """Blocks in one call: what the graph demands, 1 where it takes any number."""
    bands: int | None
    """Bands that it takes; None: any number."""
    rows: int | None
    """Rows that it takes; None: any number."""
    cols: int | None
    """Columns that it takes; None: any number."""
    heads: tuple[Head, ...]
    """Its outputs."""

    @property
    def takes_whole(self) -> bool:
        """Whether it takes whole numbers, as rasters hold them."""
        return np.issubdtype(self.dtype, np.integer)

    @property
    def limits(self) -> tuple[int, int]:
        """Smallest and largest of the whole numbers that it takes."""
        info = np.iinfo(self.dtype)
        return int(info.min), int(info.max)

    def feed(self, block: NDArray[np.float32]) -> NDArray[Any]:
        """What the graph is given for (bands, rows, cols).

        Raises:
            ModelError: it takes whole numbers, and the block holds others than it can take.
        """
        if self.takes_whole:
            low, high = self.limits
            if block.min() < low or block.max() > high:
                raise ModelError(
                    f"takes numbers from {low} to {high}, the raster has {block.min():g} to "
                    f"{block.max():g}: scale it with --scale"
                )
            block = np.rint(block)
        fed = block.transpose(1, 2, 0) if self.last else block
        fed = np.broadcast_to(fed.astype(self.dtype), (self.batch, *fed.shape))
        return np.ascontiguousarray(fed)

    def planes(self, given: NDArray[Any]) -> NDArray[np.float32]:
        """(channels, rows, cols) float32 of what the graph gave for the first block.

        One vector for the block is a map of one cell.

        Raises:
            ModelError: it is no map.
        """
        if given.ndim == 4:
            first = given[0]
            planes = first.transpose(2, 0, 1) if self.last else first
        elif given.ndim == 3 and (given.shape[0] == self.batch):
            planes = given[:1]
        elif given.ndim == 3:  # channels, without a batch
            planes = given.transpose(2, 0, 1) if self.last else given
        elif given.ndim == 2 and not self.is_vector(given.shape):
            planes = given[None]
        elif given.ndim == 2 and given.shape[0] == self.batch:  # one vector for each block
            planes = given[0, :, None, None]
        elif given.ndim == 1:  # one number for each block, or a vector without a batch
            planes = (given[:1] if len(given) == self.batch else given)[:, None, None]
        else:
            raise ModelError(f"gives {_words(given.shape)}, which is no map: export another")
        return np.asarray(planes, np.float32)

    def map_shape(self, head: Head) -> tuple[int | None, ...]:
        """(channels, rows, cols) of the map of one block, None where the graph is silent."""
        shape = head.shape
        if len(shape) == 4:
            return (shape[3], shape[1], shape[2]) if self.last else shape[1:]
        if len(shape) == 3:
            if shape[0] is None or shape[0] == self.batch:
                return 1, *shape[1:]
            return (shape[2], shape[0], shape[1]) if self.last else shape
        if len(shape) == 2:
            return (shape[1], 1, 1) if self.is_vector(shape) else (1, *shape)
        return None, None, None

    def is_vector(self, shape: tuple[int | None, ...]) -> bool:
        """True for an output of one vector or number for each block."""
        if len(shape) < 2:
            return True
        return len(shape) == 2 and not (
            shape[0] == self.rows and shape[1] == self.cols and self.rows is not None
        )


def layout_of(inputs: list[Any], outputs: list[Any]) -> Layout:
    """The layout of a graph.

    Args:
        inputs: of an ONNX Runtime session: `name`, `shape`, `type`.
        outputs: the same.

    Raises:
        ModelError: it takes no image, or one of an absurd size; the message lacks its subject.
    """
    if len(inputs) != 1:
        names = ", ".join(item.name for item in inputs)
        raise ModelError(f"has {len(inputs)} inputs ({names}), an image is one: export another")
    found = inputs[0]
    if found.type not in _TYPES:
        raise ModelError(f"takes {found.type}, not the bands of a raster: export another")
    shape = _shape(found.shape)
    if len(shape) != 4:
        raise ModelError(
            f"takes {_words(shape)}, not images of (N, bands, rows, columns): export another"
        )
    for size in shape:
        if size is not None and size < 1:
            raise ModelError(f"takes {_words(shape)}, which holds nothing: export it again")
    last = _channels_last(shape)
    batch, bands, rows, cols = (shape[0], shape[3], shape[1], shape[2]) if last else shape
    if (batch or 1) > _MOST_BATCH or math.prod(size or 1 for size in shape) > _MOST_CELLS:
        raise ModelError(f"takes {_words(shape)}, which is too large: export smaller tiles")
    heads = tuple(
        Head(
            item.name,
            _shape(item.shape),
            is_float=item.type in _TYPES and item.type not in _WHOLE,
            is_whole=item.type in _WHOLE,
        )
        for item in outputs
    )
    for head in heads:
        if math.prod(abs(size) if size else 1 for size in head.shape) > _MOST_CELLS * 4:
            raise ModelError(
                f"gives {_words(head.shape)} ({head.name}), which is too large: export smaller "
                "tiles"
            )
    dtype = _TYPES[found.type]
    return Layout(found.name, dtype, last, batch or 1, bands, rows, cols, heads)


def _channels_last(shape: tuple[int | None, ...]) -> bool:
    """True when the last of four sizes is the number of bands."""
    second, third, fourth = shape[1:]
    if fourth is None or fourth > _MOST_BANDS or third == fourth:
        return False
    return second is None or second > fourth


def _shape(shape: Any) -> tuple[int | None, ...]:
    return tuple(size if isinstance(size, int) else None for size in shape or ())


def _words(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("any" if size is None else str(size) for size in shape) + ")"
