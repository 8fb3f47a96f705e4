"""write_mosaic: results on one cell grid as one VRT and one merged GeoTIFF."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import FileError, GridError, RasterError
from geotools.grid import Grid, TileScheme, Window
from geotools.io.atomic import write_atomic
from geotools.io.cog import is_cog
from geotools.io.geotiff import open_raster
from geotools.io.vrt import mosaic_vrt
from geotools.io.writing import create_geotiff
from geotools.spec import ClassInfo
from geotools.stream import Progress, Step

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Piece", "write_mosaic"]

_ASTRAY = 0.01
"""Share of a cell that a grid may be off, over its whole length."""

_TILE = 2048

_SPARSEST = 1000
"""Cells of the mosaic for one cell of its results, at most: a file is sparse, not free."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One result."""

    path: Path
    """Its GeoTIFF."""
    classes: tuple[ClassInfo, ...]
    """The classes of a class map."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What all pieces share."""

    bands: tuple[str, ...]
    units: tuple[str, ...]
    dtype: str
    nodata: float | None


def write_mosaic(
    pieces: Sequence[Piece],
    folder: Path,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> tuple[str, ...]:
    """Writes `mosaic.vrt` and `mosaic.tif`; their names.

    Args:
        pieces: the results; where they overlap, the first that is valid shows.
        folder: where they are, and where the mosaic goes.
        overwrite: replace an earlier mosaic.
        progress: called after every tile of the merged GeoTIFF.

    Raises:
        GridError: CRS or cell grids differ, or the results lie too far apart.
        RasterError: they differ in bands or classes, or are fewer than two.
        FileError: the disk refuses.
    """
    if len(pieces) < 2:
        raise RasterError(f"There is no mosaic of {len(pieces)} results: two are needed.")
    grids, kind = _described(pieces)
    grid, windows = _together(grids, pieces)
    text = mosaic_vrt(
        [(piece.path.name, window) for piece, window in zip(pieces, windows, strict=True)],
        grid,
        bands=kind.bands,
        units=kind.units,
        dtype=kind.dtype,
        nodata=kind.nodata,
        classes=pieces[0].classes,
    )
    merged, virtual = folder / "mosaic.tif", folder / "mosaic.vrt"
    with ExitStack() as stack:
        part = stack.enter_context(write_atomic(virtual, overwrite=overwrite, verify=_same(text)))
        part.write_text(text, encoding="utf-8", newline="\n")
        _merge(pieces, windows, grid, kind, merged, overwrite=overwrite, progress=progress)
    return merged.name, virtual.name


def _same(text: str) -> Callable[[Path], None]:
    def verify(part: Path) -> None:
        if part.read_text(encoding="utf-8") != text:
            raise FileError(f"{part} does not hold what was written: is the disk full?")

    return verify


def _described(pieces: Sequence[Piece]) -> tuple[list[Grid], _Kind]:
    """The grid of each, and what all of them share."""
    grids, kinds = [], []
    for piece in pieces:
        with open_raster(piece.path) as file:
            grids.append(file.grid)
            kinds.append(_Kind(file.bands, file.units, file.dtype.name, file.nodata))
        # NaN, the nodata of values, equals nothing but its own text.
        if repr(kinds[-1]) != repr(kinds[0]) or piece.classes != pieces[0].classes:
            raise RasterError(
                f"There is no mosaic: {piece.path.name} has other bands or classes than "
                f"{pieces[0].path.name}."
            )
    return grids, kinds[0]


def _together(grids: Sequence[Grid], pieces: Sequence[Piece]) -> tuple[Grid, list[Window]]:
    """The grid that holds all, and where each lies on it."""
    first = grids[0]
    places = []
    for grid, piece in zip(grids, pieces, strict=True):
        x = (grid.transform.c - first.transform.c) / first.transform.a
        y = (grid.transform.f - first.transform.f) / first.transform.e
        stretch = max(
            abs(grid.transform.a / first.transform.a - 1) * grid.width,
            abs(grid.transform.e / first.transform.e - 1) * grid.height,
        )
        if grid.crs != first.crs:
            raise GridError(
                f"There is no mosaic: {piece.path.name} is in {grid.crs}, {pieces[0].path.name} "
                f"in {first.crs}."
            )
        if max(stretch, abs(x - round(x)), abs(y - round(y))) > _ASTRAY:
            raise GridError(
                f"There is no mosaic: the cells of {piece.path.name} do not lie on those of "
                f"{pieces[0].path.name}."
            )
        places.append((round(x), round(y)))
    left, top = min(x for x, _ in places), min(y for _, y in places)
    right = max(x + grid.width for (x, _), grid in zip(places, grids, strict=True))
    bottom = max(y + grid.height for (_, y), grid in zip(places, grids, strict=True))
    whole = first.cut(Window(left, top, right - left, bottom - top))
    if whole.width * whole.height > _SPARSEST * sum(one.width * one.height for one in grids):
        raise GridError(
            f"There is no mosaic: the results lie so far apart that {whole.width:,} x "
            f"{whole.height:,} cells would be all but empty."
        )
    windows = [
        Window(x - left, y - top, grid.width, grid.height)
        for (x, y), grid in zip(places, grids, strict=True)
    ]
    return whole, windows


def _merge(
    pieces: Sequence[Piece],
    windows: Sequence[Window],
    grid: Grid,
    kind: _Kind,
    target: Path,
    *,
    overwrite: bool,
    progress: Progress | None,
) -> None:
    scheme = TileScheme(_TILE)
    style = pieces[0].path.with_suffix(".qml")
    total = scheme.count(grid)
    with create_geotiff(
        target,
        grid,
        bands=kind.bands,
        units=kind.units,
        dtype=kind.dtype,
        nodata=kind.nodata,
        classes=pieces[0].classes,
        style=style.read_text(encoding="utf-8") if style.is_file() else None,
        tags={"source": ", ".join(piece.path.name for piece in pieces)},
        cog=is_cog(pieces[0].path),
        overwrite=overwrite,
    ) as writer:
        for done, tile in enumerate(scheme.tiles(grid), 1):
            at = tile.write
            data = np.full((len(kind.bands), *at.shape), kind.nodata or 0, kind.dtype)
            valid = np.zeros(data.shape, np.bool_)  # (band, row, col)
            for piece, window in zip(pieces, windows, strict=True):
                if at.intersection(window) is not None:
                    _add(piece.path, window, at, data, valid)
            if valid.any():
                writer.write(data, at)
            if progress is not None:
                progress(Step("mosaic", done, total))


def _add(
    path: Path, window: Window, at: Window, data: NDArray[Any], valid: NDArray[np.bool_]
) -> None:
    """Fills cells of `at` that have no value yet, band by band as the VRT does."""
    here = Window(at.col_off - window.col_off, at.row_off - window.row_off, at.width, at.height)
    for band in range(len(data)):
        if valid[band].all():
            continue
        with open_raster(path, bands=[band + 1]) as file:
            read = file.read(here)
        new = read.valid & ~valid[band]
        np.copyto(data[band], read.data[0], where=new)
        valid[band] |= new
