"""open_aligned: any rasters as one `Source` on exactly the grid that is asked for.

Other CRS, other cells, several files: all are brought onto the grid while they are read, by
windows, with nothing written in between. A window has the same numbers as the whole.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np

from geotools.dem import Dem, vertical_unit_m
from geotools.errors import GridError, RasterError
from geotools.grid import Grid, Window
from geotools.io.geotiff import RasterFile, open_raster
from geotools.io.resampling import METHODS, OF_CODES, Resampled
from geotools.raster import Raster, Source

__all__ = ["KINDS", "AlignedFile", "open_aligned"]

KINDS = ("values", "classes", "elevation")

_COARSER = 1.5
"""Cells so many times as long as the source's are averaged."""

FilePath = str | os.PathLike[str]


def open_aligned(
    paths: FilePath | Sequence[FilePath],
    grid: Grid,
    *,
    bands: Sequence[int] | None = None,
    kind: str = "values",
    resampling: str | None = "bilinear",
    crs: str | None = None,
    nodata: float | None = None,
    z_factor: float | None = None,
) -> AlignedFile:
    """Open rasters on the cells of `grid`, to be used in a `with` statement.

    A cell is valid where the raster's cell that holds its centre is; for average, mode, min, max
    and median where a quarter of it is known. Interpolation leaves invalid cells out.

    Args:
        paths: a raster, or several that are one mosaic: the first that is valid has precedence.
        grid: the cells; rasters on the same cells are read as they are.
        bands: band numbers from 1; all but alpha when None.
        kind: `values`; `classes`, codes that are never mixed, which rasters with a colour table
            always are; `elevation`: one band, in metres, checked as in `geotools.dem`.
        resampling: one of `geotools.io.resampling.METHODS`. None: nearest for classes, average
            where cells are more than 1.5 times as long as the raster's, else bilinear.
        crs: the CRS to assume, instead of the files' own.
        nodata: the value to take as invalid, instead of the files' own.
        z_factor: metres in one unit of the elevation; what the file says when None.

    Raises:
        FileError: a path cannot be opened as a raster.
        GridError: no CRS, no way to the grid's, or none of the rasters lies on the grid.
        RasterError: bands, kind and resampling that do not go together.
    """
    listed = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not listed:
        raise RasterError("No raster is named: give at least one path.")
    if kind not in KINDS:
        raise RasterError(f"Kind {kind!r} is unknown: use {', '.join(KINDS)}.")
    if resampling is not None and resampling not in METHODS:
        raise RasterError(f"Resampling {resampling!r} is unknown: use {', '.join(METHODS)}.")
    with contextlib.ExitStack() as stack:
        files = [
            stack.enter_context(open_raster(path, crs=crs, bands=bands, nodata=nodata))
            for path in listed
        ]
        opened = AlignedFile(
            files, grid, kind=kind, resampling=resampling, z_factor=z_factor, closing=stack
        )
        opened._closing = stack.pop_all()
    return opened


class AlignedFile:
    """One or several raster files as a `Source` on a grid; any thread may read."""

    def __init__(
        self,
        files: Sequence[RasterFile],
        grid: Grid,
        *,
        kind: str,
        resampling: str | None,
        z_factor: float | None,
        closing: contextlib.ExitStack,
    ) -> None:
        """See `open_aligned`; `closing` closes the files."""
        first = files[0]
        for file in files[1:]:
            if len(file.bands) != len(first.bands):
                raise RasterError(
                    f"{file.name} has {len(file.bands)} bands, {first.name} has "
                    f"{len(first.bands)}: choose the bands that are to be one mosaic."
                )
        self._closing = closing
        self.name, self.grid, self.bands = first.name, grid, first.bands
        self._files = tuple(files)
        self.kind = "classes" if kind == "values" and first.has_palette else kind
        self.resampling = _method(resampling, self.kind, first, grid)
        self._pieces = [
            Resampled(
                _source(file, self.kind, z_factor), grid, self.resampling,
                dtype=np.dtype(np.float32) if kind == "elevation" else file.dtype, name=file.name,
            )
            for file in files
        ]  # fmt: skip
        self._pieces = [piece for piece in self._pieces if piece.overlaps]
        if not self._pieces:
            others = f" with {len(files) - 1} others" if len(files) > 1 else ""
            raise GridError(
                f"{first.name}{others} lies outside the grid {_shown(grid)}: "
                "give rasters of one place, or name the right CRS."
            )
        self.dtype: np.dtype[Any] = np.result_type(*(piece.dtype for piece in self._pieces))

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that it is read from."""
        return tuple(name for file in self._files for name in file.files)

    def read(self, window: Window) -> Raster:
        """The cells of `window`; those beyond the grid are invalid and 0.

        Raises:
            FileError: a file is damaged or gone.
            RasterError: an elevation that cannot be one.
        """
        raster = self._pieces[0].read(window)
        if len(self._pieces) == 1:
            return raster
        data, valid = raster.data.astype(self.dtype, copy=False), raster.valid
        for piece in self._pieces[1:]:
            if valid.all():
                break
            below = piece.read(window)
            new = below.valid & ~valid
            np.copyto(data, below.data.astype(self.dtype, copy=False), where=new)
            valid |= new
        return Raster(data, valid, raster.grid, self.bands)

    def close(self) -> None:
        """Closes every file."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _source(file: RasterFile, kind: str, z_factor: float | None) -> Source:
    """The file, checked and in metres where it holds elevations."""
    if kind != "elevation":
        return file
    if file.has_palette:
        raise RasterError(
            f"{file.name} has a colour table, so its values are classes and not elevations: give "
            "an elevation model."
        )
    if z_factor is None:
        z_factor = vertical_unit_m(file.grid.crs.wkt, file.units[0])
    return Dem(file, name=file.name, z_factor=z_factor, says_nodata=file.nodata is not None)


def _method(resampling: str | None, kind: str, file: RasterFile, grid: Grid) -> str:
    """The way that is asked for, or the one that suits."""
    if kind == "classes":
        if resampling is not None and resampling not in OF_CODES:
            raise RasterError(
                f"{file.name} holds classes, which {resampling} would mix: use "
                f"{', '.join(OF_CODES)}."
            )
        return resampling or "nearest"
    if resampling is not None:
        return resampling
    scale = Resampled(file, grid, "nearest", dtype=file.dtype, name=file.name).scale
    return "average" if scale > _COARSER else "bilinear"


def _shown(grid: Grid) -> str:
    left, bottom, right, top = grid.bounds
    return f"({left:.6g} to {right:.6g}, {bottom:.6g} to {top:.6g} in {grid.crs})"
