"""FeatureStack: rasters on one grid as the features that models take, window by window.

Every source is read once for a window, with the surroundings that terrain needs; what a window
gives does not depend on how the grid is cut. Files are opened in `opening`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from geotools.errors import RasterError
from geotools.features.kept import Kept
from geotools.features.names import (
    bands_of_index,
    elevation_of,
    expand_features,
    find_band,
    parse_feature,
)
from geotools.features.surface import Surface
from geotools.grid import Window
from geotools.imagery.indices import index
from geotools.raster import Raster, Source
from geotools.spec import SourceInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FeatureStack"]

Part = tuple[int, int]
"""A source and one of its dates, both from 0."""


class FeatureStack:
    """Features as a `Source` of float32 bands, NaN where undefined; any thread may read.

    A cell is valid where all sources are. A feature may be NaN at a valid cell: the index of
    bands that are 0, the aspect of level ground.
    """

    def __init__(
        self,
        sources: Sequence[tuple[SourceInfo, Source | Sequence[Source]]],
        features: Sequence[str] | None = None,
        *,
        files: Sequence[str] = (),
    ) -> None:
        """
        Args:
            sources: what each is, and the raster; rasters in the order of its dates where it has
                some. All on one grid, elevations in metres.
            features: names as in `features.names`; all bands when None.
            files: the files that it is read from.

        Raises:
            RasterError: the sources do not fit each other, or a radius does not fit the cells.
            ConfigError: a feature that the sources do not have.
        """
        if not sources:
            raise RasterError("A stack of no rasters was asked for: give at least one.")
        self.infos = tuple(info for info, _ in sources)
        self._parts: dict[Part, Source] = {}
        for number, (info, given) in enumerate(sources):
            rasters = list(given) if isinstance(given, Sequence) else [given]
            if len(rasters) != max(len(info.dates), 1):
                raise RasterError(
                    f"{info.name} needs {max(len(info.dates), 1)} rasters, one for each date, and "
                    f"{len(rasters)} are given."
                )
            for date, raster in enumerate(rasters):
                self._parts[number, date] = raster
        self.grid = self._parts[0, 0].grid
        for (number, _), raster in self._parts.items():
            info = self.infos[number]
            if raster.grid != self.grid:
                raise RasterError(
                    f"{info.name} is on another grid than {self.infos[0].name}: open it by "
                    "open_stack, which brings it there."
                )
            if len(raster.bands) != len(info.bands):
                raise RasterError(
                    f"{info.name} needs {len(info.bands)} bands ({', '.join(info.bands)}), and "
                    f"{len(raster.bands)} are given."
                )
        self.bands = expand_features(features, self.infos)
        self.files = tuple(files)
        self._close: Callable[[], None] | None = None
        self.elevation: int | None = None
        """Which feature is the bare elevation."""
        self._plain: list[tuple[int, Part, int]] = []
        self._indices: list[tuple[int, str, dict[str, tuple[Part, int]]]] = []
        self._ground: Part | None = None
        self._surface: Surface | None = None
        self._kept: Kept | None = None
        self._plan()

    def _plan(self) -> None:
        """Where each feature comes from."""
        terrain = []
        for number, name in enumerate(self.bands):
            feature = parse_feature(name)
            if feature.kind == "terrain":
                terrain.append((number, feature))
            elif feature.kind == "imagery":
                found = bands_of_index(feature.name, self.infos)
                places = {
                    role: ((source, self._date(source, feature.date)), band)
                    for role, (source, band) in found.items()
                }
                self._indices.append((number, feature.name, places))
            else:
                source, band = find_band(name, self.infos)
                self._plain.append((number, (source, self._date(source, feature.date)), band))
                if self.infos[source].role == "elevation" and self.elevation is None:
                    self.elevation = number
        if terrain:
            self._ground = elevation_of(self.infos), 0
            self._surface = Surface(terrain, self.grid)

    def _date(self, source: int, date: str) -> int:
        return self.infos[source].dates.index(date) if date else 0

    @property
    def halo(self) -> int:
        """Cells of surroundings that terrain features look at; `read` takes care of them."""
        return self._surface.halo if self._surface else 0

    def sources(self, number: int) -> tuple[Source, ...]:
        """The rasters of a source, one for each of its dates."""
        return tuple(raster for (source, _), raster in self._parts.items() if source == number)

    def read(self, window: Window) -> Raster:
        """The features of `window`; cells beyond the grid are invalid.

        Returns:
            Raster with data (features, row, col) float32, NaN where a feature is undefined.
        """
        return self._read(window) if self._kept is None else self._kept.read(window)

    def keep(self) -> None:
        """Nothing; from now on cells that have been read stay in memory, to the same bits."""
        self._kept = Kept(self.grid, self.bands, self._read, halo=self.halo)

    def _read(self, window: Window) -> Raster:
        """The features of a window, computed."""
        wide = self._surface.around(window) if self._surface else window
        blocks: dict[Part, NDArray[np.float32]] = {}  # (band, row, col)
        valid = np.ones(window.shape, np.bool_)
        elevation: NDArray[np.float32] | None = None
        for part, raster in self._parts.items():
            if part == self._ground:
                block = raster.read(wide)
                elevation = _filled(block)[0]
                inner = window.slices(wide)
                blocks[part] = elevation[None, *inner]
                valid &= block.valid[inner]
            else:
                block = raster.read(window)
                blocks[part] = _filled(block)
                valid &= block.valid
        data = np.full((len(self.bands), *window.shape), np.nan, np.float32)
        for number, part, band in self._plain:
            data[number] = blocks[part][band]
        for number, name, places in self._indices:
            bands: dict[str, NDArray[Any]] = {
                role: blocks[part][band] for role, (part, band) in places.items()
            }
            data[number] = index(name, bands)
        if self._surface and elevation is not None:
            self._surface.fill(data, elevation, wide, window)
        return Raster(data, valid, self.grid.cut(window), self.bands)

    def closes(self, close: Callable[[], None]) -> None:
        """Nothing; from now on `close` calls this."""
        self._close = close

    def close(self) -> None:
        """Closes the files, when it was opened from files."""
        if self._close is not None:
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _filled(block: Raster) -> NDArray[np.float32]:
    """(band, row, col) float32, NaN where invalid, and where it is too large for float32."""
    with np.errstate(over="ignore"):
        filled = block.filled()
    if block.data.dtype == np.float64:
        filled[np.isinf(filled)] = np.nan
    return filled
