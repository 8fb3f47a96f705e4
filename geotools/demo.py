"""demo: the main job on a real DEM that is on every machine where geotools is."""

from __future__ import annotations

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
from geotools.pictures import landform_picture
from geotools.stream import Progress

__all__ = ["Demo", "demo", "write_jacksboro"]


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo has written."""

    outputs: Mapping[Path, str]
    """What each file is."""
    seconds: float
    """Wall time of the mapping."""


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


def demo(folder: Path, *, progress: Progress | None = None) -> Demo:
    """Writes a DEM, its landforms as raster and polygons, and a picture; replaces earlier ones.

    Raises:
        FileError: the folder cannot be made or written to.
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
    return Demo(
        outputs={
            dem: "the elevation model",
            forms: "landform and confidence of every cell",
            polygons: "landforms as polygons",
            picture: "a picture of both",
        },
        seconds=made.seconds,
    )
