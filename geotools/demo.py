"""demo: the main jobs on a real DEM and real earthquakes that are wherever geotools is."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine

from geotools.errors import FileError
from geotools.grid import Grid, TileScheme
from geotools.io.geotiff import parse_crs
from geotools.io.writing import create_geotiff
from geotools.maps import map_landforms
from geotools.maps.events import map_events
from geotools.maps.forecast import map_forecast
from geotools.maps.inputs import FilePath
from geotools.pictures import forecast_picture, landform_picture
from geotools.stream import Progress

__all__ = ["Demo", "demo", "sample_catalog", "write_jacksboro"]

_SAMPLE_CATALOG = ("io", "ndk", "tests", "data", "multiple_events.ndk")


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo has written."""

    outputs: Mapping[Path, str]
    """What each file is."""
    seconds: float
    """Wall time of the landform map."""


def write_jacksboro(path: Path, *, overwrite: bool = False) -> None:
    """Writes the DEM of the Jacksboro fault as a GeoTIFF.

    SRTM 3 arc-seconds (NASA, public domain), 344 x 403 cells, EPSG:4326; it comes with
    matplotlib's sample data.

    Raises:
        FileError: this matplotlib does not hold the sample, or the file cannot be written.
    """
    import matplotlib.cbook

    try:
        sample: Any = matplotlib.cbook.get_sample_data("jacksboro_fault_dem.npz")
        with sample:
            elevation = np.asarray(sample["elevation"], dtype=np.int16)  # (rows, cols)
            # The sample calls the northern edge ymin and the southern ymax.
            left, top = float(sample["xmin"]), float(max(sample["ymin"], sample["ymax"]))
            dx, dy = float(sample["dx"]), float(sample["dy"])
    except (OSError, KeyError, ValueError) as error:
        raise FileError(
            f"matplotlib's sample jacksboro_fault_dem.npz cannot be read ({error}): install "
            "matplotlib anew."
        ) from None
    rows, cols = elevation.shape
    grid = Grid(parse_crs("EPSG:4326"), Affine(dx, 0, left, 0, -dy, top), cols, rows)
    with create_geotiff(
        path, grid, bands=["elevation"], units=["m"], dtype="int16", nodata=-32768,
        gray=(float(elevation.min()), float(elevation.max())), overwrite=overwrite,
    ) as writer:  # fmt: skip
        for tile in TileScheme(1024).tiles(grid):
            writer.write(elevation[None, *tile.write.slices()], tile.write)


def sample_catalog() -> Path | None:
    """Six earthquakes of 2013 (Global CMT) that come with ObsPy's tests; None without them."""
    found = importlib.util.find_spec("obspy")
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(found.submodule_search_locations[0], *_SAMPLE_CATALOG)
    return path if path.is_file() else None


def demo(
    folder: Path, *, catalog: FilePath | None = None, progress: Progress | None = None
) -> Demo:
    """Writes maps of a DEM and of a catalog, with pictures; replaces earlier ones.

    Args:
        folder: made when it is not there.
        catalog: earthquakes to forecast from; `sample_catalog()` when None.
        progress: called while the maps are made.

    Raises:
        FileError: the folder cannot be made or written to.
        GeotoolsError: the catalog cannot be read, or no forecast can be made from it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"The folder {folder} cannot be made: {error.strerror}.") from None
    dem, forms = folder / "jacksboro_dem.tif", folder / "jacksboro_landforms.tif"
    polygons, picture = folder / "jacksboro_landforms.gpkg", folder / "jacksboro_landforms.png"
    write_jacksboro(dem, overwrite=True)
    made = map_landforms(
        dem, forms, polygons=polygons, confidence=True, overwrite=True, progress=progress
    )
    landform_picture(
        dem, forms, picture,
        classes=made.classes, title=f"Jacksboro fault, Tennessee: {made.method}", overwrite=True,
    )  # fmt: skip
    outputs = {
        dem: "the elevation model",
        forms: "landform and confidence of every cell",
        polygons: "landforms as polygons",
        picture: "a picture of both",
    }
    events = sample_catalog() if catalog is None else Path(catalog)
    if events is not None:
        outputs |= _forecast(events, folder, progress)
    return Demo(outputs, made.seconds)


def _forecast(catalog: Path, folder: Path, progress: Progress | None) -> dict[Path, str]:
    """The files of a catalog map: events, forecast, cells, picture."""
    layer, raster = folder / "earthquakes.gpkg", folder / "forecast.tif"
    cells, picture = folder / "forecast.gpkg", folder / "forecast.png"
    map_events(catalog, layer, overwrite=True, progress=progress)
    made = map_forecast(catalog, raster, cells=cells, overwrite=True, progress=progress)
    forecast_picture(made.issued, made.events, picture, overwrite=True)
    forecast = made.issued.forecast
    return {
        layer: "earthquakes by depth and magnitude",
        raster: f"expected number of earthquakes, {forecast.horizon_days:g} days from "
        f"{forecast.start:%Y-%m-%d}, by {forecast.name}",
        cells: "the same as cells, with the events and a summary",
        picture: "a picture of it",
    }
