"""VectorBatch: features as plain arrays, for what is written without making an object of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["VectorBatch"]


@dataclass(frozen=True, slots=True, eq=False)
class VectorBatch:
    """Some of the features of a layer."""

    columns: Mapping[str, NDArray[Any]]
    """(features,) each, by name; text as objects, NaN where a number is not known."""
    wkb: NDArray[Any]
    """(features,) objects: bytes, well-known binary (OGC 06-103r4)."""
    geometry_type: str
    """Of all of them, such as `Polygon`."""
    crs: Any
    """Their CRS, as geopandas takes it; None where it is not known."""

    def __len__(self) -> int:
        return int(self.wkb.size)
