"""raster_scenes: a label raster, whatever its codes and its grid, as the labels of scenes.

Codes are brought onto the cells by nearest, or by majority where the cells are larger; a band that
is also learned from is refused.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import FileError, GridError, LabelsError, RasterError
from geotools.features.opening import band_names, slug
from geotools.grid import Grid, Window
from geotools.io.aligned import AlignedFile, open_aligned
from geotools.io.categories import read_categories
from geotools.io.geotiff import open_raster
from geotools.training.labels.codes import Codes
from geotools.training.labels.fills import Fills
from geotools.training.labels.scenes import Block, LabelSet, lattice
from geotools.training.labels.shapes import bounds_between, crs_of, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.training.config import TrainConfig
    from geotools.training.sections import InputConfig, LabelsConfig

__all__ = ["RasterScene", "raster_scenes"]

_COARSER = 1.5
"""Cells so many times as long as the raster's take the class of most of theirs."""


class RasterScene:
    """A label raster on the cells of a grid."""

    def __init__(
        self, file: AlignedFile, codes: Codes | None, fills: Fills, *, nodata: float | None
    ) -> None:
        """`codes` gives classes their numbers; None: values. `fills` counts what may stand for
        missing values. `nodata`: one more unlabelled code.
        """
        self.grid = file.grid
        self._file, self._codes, self._fills, self._nodata = file, codes, fills, nodata

    def may_hold(self, window: Window) -> bool:
        """See `LabelScene`."""
        return True

    def read(self, window: Window) -> Block:
        """See `LabelScene`."""
        values, valid = self._values(window)
        self._fills.count(values[valid])
        feature = np.full(window.shape, -1, np.int32)
        if self._codes is None:
            target = np.where(valid, values, np.nan).astype(np.float32)
            return Block(target, feature)
        numbers = np.full(window.shape, -1, np.int32)
        if valid.any():
            numbers[valid] = self._codes.numbers(values[valid])
        return Block(numbers, feature)

    def look(self, codes: Codes) -> None:
        """Tells the codes which values there are, as far as they ask."""
        for window in lattice(self.grid):
            if codes.knows_enough:
                return
            values, valid = self._values(window)
            codes.look(values[valid])

    def _values(self, window: Window) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """The values of a window, and where there are some."""
        raster = self._file.read(window)
        values, valid = raster.data[0], raster.valid
        if self._nodata is not None:
            valid = valid & (values != self._nodata)
        return values, valid


def raster_scenes(
    config: TrainConfig,
    files: Sequence[Path],
    grids: Sequence[Grid],
    *,
    find: Callable[[str], Path],
) -> LabelSet:
    """The labels of each scene from its raster.

    Args:
        config: with `labels`.
        files: the raster of each scene.
        grids: the grid of each scene.
        find: the file that a path of the configuration means.

    Raises:
        FileError: a file that cannot be opened.
        GridError: it has no CRS or place.
        LabelsError: several bands and none named, the band of an input, no overlap.
    """
    labels = config.labels
    if labels is None:
        raise LabelsError("There are no labels: give [labels].")
    _check_raster(files[0], labels)
    for key in ("field", "group", "time", "layer", "columns"):
        if getattr(labels, key) is not None:
            raise LabelsError(
                f"{files[0].name} is a raster, which has no labels.{key}: name a vector file, or "
                "the band with labels.band."
            )
    for key in ("buffer_m", "all_touched"):
        if getattr(labels, key):
            raise LabelsError(
                f"{files[0].name} is a raster, and labels.{key} is for features: leave it out."
            )
    values = config.task == "regression"
    called, colors = ({}, {}) if values else read_categories(files[0], labels.band or 1)
    codes = None if values else Codes(labels, called, files[0].name)
    fills = Fills(files[0].name)
    scenes: list[RasterScene] = []
    with contextlib.ExitStack() as stack:
        for file, grid in zip(files, grids, strict=True):
            band = _band(labels, file)
            _check_leak(config, file, band, find)
            opened = stack.enter_context(_open(labels, file, band, grid, values))
            scenes.append(RasterScene(opened, codes, fills, nodata=labels.nodata))
        if codes is not None:
            for scene in scenes:
                scene.look(codes)
            codes.check()
        closing = stack.pop_all()
    name = files[0].name

    def why_empty() -> str:
        if codes is not None and codes.met:
            met = ", ".join(sorted(codes.met)[:20])
            return f"{name}: no cell has a code of labels.classes: it has {met}."
        return f"{name} labels no cell that has data: check its nodata value and labels.mask."

    def remarks() -> list[str]:
        found = fills.remarks(None if codes is None else codes.learned)
        return found if codes is None else [*found, *codes.remarks()]

    return LabelSet(
        scenes=tuple(scenes),
        names=[] if codes is None else codes.names,
        colors={} if codes is None else codes.colors(colors),
        group=np.empty(0, np.int32),
        groups=(),
        time=np.empty(0),
        polygons=False,
        why_empty=why_empty,
        remarks=remarks,
        close=closing.close,
    )


def _check_raster(file: Path, labels: LabelsConfig) -> None:
    """Refuses what is no raster either, after all endings of vector files."""
    try:
        open_raster(file, crs=labels.crs).close()
    except FileError:
        raise FileError(
            f"{file} is neither a raster nor a vector file that is read: give a GeoTIFF, "
            "GeoPackage, Shapefile (.shp, unpacked), GeoJSON, FlatGeobuf, or a CSV of points."
        ) from None
    except (GridError, RasterError):
        pass  # it is one, and what it lacks is said where its band is opened


def _band(labels: LabelsConfig, file: Path) -> int:
    try:
        with open_raster(file, crs=labels.crs) as raster:
            count = len(raster.bands)
    except GridError as error:  # it names the flag of other commands
        raise LabelsError(str(error).replace("--crs", "labels.crs")) from None
    if labels.band is None and count > 1:
        raise LabelsError(
            f"{file.name} has {count} bands: say which holds the labels with labels.band."
        )
    return labels.band or 1


def _open(labels: LabelsConfig, file: Path, band: int, grid: Grid, values: bool) -> AlignedFile:
    """The raster on the grid."""
    with open_raster(file, crs=labels.crs, bands=[band]) as raster:
        own, nodata = raster.grid, raster.nodata
    coarser = _length_m(grid) > _COARSER * _length_m(own)
    kind, resampling = "classes", "mode" if coarser else "nearest"
    if values:
        kind, resampling = "values", "average" if coarser else "bilinear"
    elif labels.class_name is not None:
        kind = "values"
    try:
        return open_aligned(
            file, grid, bands=[band], kind=kind, resampling=resampling, crs=labels.crs,
            # Known before cells are mixed, so that it is not mixed with them.
            nodata=labels.nodata if values and nodata is None else None,
        )  # fmt: skip
    except GridError:
        raise _apart(file, own, grid) from None


def _length_m(grid: Grid) -> float:
    x, y = grid.cell_size_m()
    middle = grid.height // 2
    return float(np.sqrt(x[middle] * y[middle]))


def _apart(file: Path, own: Grid, grid: Grid) -> LabelsError:
    theirs = bounds_between(own.bounds, crs_of(own), grid)
    where = f"covers {shown(theirs)}" if theirs else "has no place"
    return LabelsError(
        f"{file.name} does not overlap the rasters: in {crs_of(grid).name}, it {where}, they "
        f"cover {shown(grid.bounds)} (left, bottom, right, top): check labels.crs."
    )


def _check_leak(config: TrainConfig, file: Path, band: int, find: Callable[[str], Path]) -> None:
    """Refuses a band of labels that is also learned from."""
    for one in config.inputs:
        paths = one.path if isinstance(one.path, tuple) else (one.path,) if one.path else ()
        paths = (*paths, *(one.mosaic or ()), *(one.dates or {}).values())
        try:
            same = any(find(path).samefile(file) for path in paths)
        except (FileError, OSError):
            continue  # said where the inputs are opened
        if same and band in _learned(config, one, file):
            raise LabelsError(
                f"Band {band} of {file.name} is the label and is learned from as {one.name!r}: "
                f"leave it out of the input's bands, or of features."
            )


def _learned(config: TrainConfig, one: InputConfig, file: Path) -> set[int]:
    """Numbers of the bands of an input that features are made of."""
    with open_raster(file, crs=one.crs) as raster:
        described = dict(zip(band_names(raster), raster.band_numbers, strict=True))
        every = list(raster.band_numbers)
    if isinstance(one.bands, tuple):
        chosen = {
            slug(str(name)): name if isinstance(name, int) else described.get(slug(name), 0)
            for name in one.bands
        }
    elif one.bands is not None:
        chosen = {
            slug(name): band if isinstance(band, int) else described.get(slug(band), 0)
            for name, band in one.bands.items()
        }
    else:
        chosen = {str(number): number for number in every} | described
    if config.features is None:
        return set(chosen.values())
    used: set[int] = set()
    for feature in config.features:
        source, _, name = feature.split("@")[0].partition(".")
        if source == one.name:
            # A number is that of a band, too, where no band is called so.
            number = int(name) if name.isdigit() else 0
            used |= {chosen.get(slug(name), number)} if name else set(chosen.values())
        elif source == "terrain" and (one.role == "elevation" or len(chosen) == 1):
            used |= set(chosen.values()) if one.role != "other" else set()
        elif source == "imagery" and one.role != "elevation" and len(chosen) > 1:
            used |= set(chosen.values()) if isinstance(one.bands, dict) else set()
    return used
