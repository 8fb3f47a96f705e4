"""The two ways to a landform of every cell: a learned model, and the exact algorithm."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from geotools.dem import Dem
from geotools.effort import Effort
from geotools.errors import RasterError
from geotools.grid import Grid, Tile, TileScheme
from geotools.io.gate import no_word_of_missing_places
from geotools.maps.area import PlacedArea
from geotools.maps.inputs import FilePath, as_text
from geotools.raster import Raster, Shifted, Sink
from geotools.spec import ClassInfo
from geotools.stream import Progress, Tiling, Within, map_tiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.inference.predictor import Predictor
    from geotools.inference.sessions import SessionOptions

__all__ = ["ExactMapper", "Geomorphons", "ModelMapper", "Warn", "choose"]

Warn = Callable[[str], None]

_BYTES_PER_CELL = 60
"""Working memory for a cell of a tile, measured as peak RSS over tiles of 512 and 1024 cells."""

_SHIPPED = "landforms-v1"
"""What is meant where nothing is said."""

_MAX_REACH = 2000
"""Cells; looking farther means rows so near to a pole that a cell has no width."""


@dataclass(frozen=True, slots=True)
class Geomorphons:
    """The exact algorithm and its settings; see `geotools.terrain.geomorphons`."""

    search: int = 10
    """How far to look, in cells."""
    skip: int = 0
    """Cells not looked at at the start of each ray."""
    flat_deg: float = 1.0
    """Flatness threshold in degrees."""
    flat_distance: float = 0.0
    """Cells from which the threshold shrinks; 0 for none."""
    dialect: Literal["grass", "whitebox", "paper"] = "grass"
    """Whose rules to follow."""


class ModelMapper:
    """Landforms by a model; `maps.predict` runs it."""

    def __init__(self, model: Predictor, origins: tuple[str, ...]) -> None:
        self.model, self.origins = model, origins
        self.title = model.spec.name

    def check(self, grid: Grid, name: str, warn: Warn) -> None:
        """Refuses cell sizes that the model never saw; says so when they are near the limits."""
        low, high = self.model.spec.cell_size_m
        sizes = np.concatenate(grid.cell_size_m())
        smallest, largest = float(sizes.min()), float(sizes.max())
        if low <= smallest and largest <= high:
            return
        found = f"{name} has cells of {smallest:.3g} to {largest:.3g} m"
        made = f"the model {self.title} is made for {low:g} to {high:g} m"
        if smallest < low / 3 or largest > high * 3:
            raise RasterError(f"{found}, {made}: resample the raster, or use --method geomorphons.")
        warn(f"{found}, {made}: expect a poorer map.")


class ExactMapper:
    """Landforms by the exact algorithm; so fast that what was killed is begun again."""

    def __init__(self, settings: Geomorphons) -> None:
        from geotools.terrain.geomorphons import FORMS

        self.settings = settings
        self.halo = 0
        self.classes: tuple[ClassInfo, ...] = FORMS
        self.title = (
            f"geomorphons (search {settings.search}, skip {settings.skip}, flat "
            f"{settings.flat_deg:g}°)"
        )

    def tags(self) -> dict[str, str]:
        """The settings."""
        return {"method": "geomorphons", "parameters": as_text(asdict(self.settings))}

    def check(self, grid: Grid, name: str, warn: Warn) -> None:
        """Refuses a look so far that no tile would do."""
        from geotools.terrain.cell_sizes import search_unit
        from geotools.terrain.geomorphons import reach

        x_m, y_m = grid.cell_size_m()
        self.unit_m = search_unit(x_m, y_m)
        self.halo = min(
            reach(
                max(self.settings.search, 1),  # nonsense is told by the algorithm itself
                x_m=x_m,
                y_m=y_m,
                dialect=self.settings.dialect,
                unit_m=self.unit_m,
            ),
            max(grid.shape),
        )
        if self.halo > _MAX_REACH:
            raise RasterError(
                f"{name} would have to be looked over for {self.halo} cells: give a smaller "
                "--search, or warp a raster near a pole to a polar projection."
            )

    def plan(self, effort: Effort) -> tuple[int, int]:
        """Tile size and threads; after `check`."""
        return effort.plan(tile=1024, halo=self.halo, bytes_per_cell=_BYTES_PER_CELL)

    def run(
        self,
        source: Dem,
        sink: Sink,
        *,
        tile: int,
        threads: int,
        area: PlacedArea | None,
        progress: Progress | None,
    ) -> None:
        """Writes uint8 codes to the sink, whose first cell is that of the area; after `check`."""
        from geotools.terrain.geomorphons import geomorphons

        settings = self.settings
        scheme: Tiling = TileScheme(tile, margin=self.halo)
        if area is not None:
            scheme, sink = Within(scheme, area.window), Shifted(sink, area.window)

        def compute(block: Raster, at: Tile) -> tuple[NDArray[Any], ...] | None:
            valid = block.valid[at.inner]
            if area is not None:
                valid = valid & area.cells(at.write)
            if not valid.any():
                return None
            x_m, y_m = source.grid.cell_size_m(at.read)
            forms = geomorphons(
                block.data[0], x_m, y_m,
                search=settings.search, skip=settings.skip, flat_deg=settings.flat_deg,
                flat_distance=settings.flat_distance, dialect=settings.dialect,
                unit_m=self.unit_m, threads=1,
            )  # fmt: skip
            return (np.where(valid, forms[at.inner], np.uint8(0))[None],)

        with no_word_of_missing_places():
            map_tiles(
                source, (sink,), scheme, compute,
                threads=threads, stage="classifying", progress=progress,
            )  # fmt: skip


def choose(
    method: FilePath | Sequence[FilePath] | None, device: str | SessionOptions = "auto"
) -> ModelMapper:
    """The models that are meant: a path or several, or the shipped model for None.

    Args:
        method: what is meant.
        device: where models run, or all of `SessionOptions`.

    Raises:
        FileError, ModelError: a model cannot be used, or several make no ensemble.
        RasterError: it takes other things than an elevation model.
    """
    from geotools.inference.ensemble import ensemble
    from geotools.inference.model import open_model, shipped_model
    from geotools.inference.sessions import session_options

    options = session_options(device)
    if method is None or isinstance(method, str | os.PathLike):
        paths = [os.fspath(method or _SHIPPED)]
    else:
        paths = [os.fspath(path) for path in method]
    models = [
        shipped_model(_SHIPPED, options=options)
        if path == _SHIPPED and not os.path.exists(path)
        else open_model(path, options=options)
        for path in paths
    ]
    for model in models:
        _check_landforms(model)
    return ModelMapper(models[0] if len(models) == 1 else ensemble(models), tuple(paths))


def _check_landforms(model: Predictor) -> None:
    if not model.spec.bands:
        raise RasterError(
            f"The model {model.file} takes no raster (its inputs are "
            f"{', '.join(item.kind for item in model.spec.inputs)}): give a landform model."
        )
    if len(model.spec.bands) != 1:
        raise RasterError(
            f"The model {model.file} takes {len(model.spec.bands)} bands "
            f"({', '.join(model.spec.bands)}), an elevation model has one: give a landform model."
        )
    output = model.spec.outputs[0]
    if output.kind != "probabilities" or model.spec.sources:
        what = "takes features of rasters" if model.spec.sources else f"gives {output.kind}"
        raise RasterError(
            f"The model {model.file} {what}: give a landform model, or use geotools predict."
        )
