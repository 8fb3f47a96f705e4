"""Real labels: every set gives the cells that it is known to have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from geotools.errors import LabelsError
from geotools.io.geotiff import open_raster
from geotools.training.config import make_config
from geotools.training.labels.reading import Labels, read_labels
from geotools.training.splits.splitting import split_cells


@pytest.fixture
def read(shared: Path) -> Callable[..., tuple[Labels, list[str]]]:
    """Reads labels of a set on the grid of one of its rasters, and splits them."""

    def labels_of(name: str, raster: str, **labels: Any) -> tuple[Labels, list[str]]:
        folder = shared / name
        made = make_config(
            {"name": name, "inputs": [{"name": "image", "path": raster}], "labels": labels,
             "features": ["image.1"]}
        )  # fmt: skip
        warned: list[str] = []
        with open_raster(folder / raster) as file:
            grid = file.grid
        found = read_labels(made, [grid], find=lambda text: folder / text, warn=warned.append)
        split = split_cells(
            found.cells, made.split, grids=[grid], classes=found.classes, apart=found.apart
        )
        assert len(split.rounds) == 5
        warned.append(split.kind)
        return found, warned

    return labels_of


def test_glacier_outlines_in_degrees_far_beyond_the_raster(read: Callable[..., Any]) -> None:
    labels, told = read(
        "glacier_exploradores", "AST_L1A_00303182012144228_Z.tif",
        path="17_rgi60_glacier_outlines.gpkg", class_name="glacier", background="other",
    )  # fmt: skip
    assert labels.counts[0] / labels.total == pytest.approx(0.50, abs=0.01)
    assert told[-1] == "blocks"


def test_land_cover_polygons_of_a_shapefile(read: Callable[..., Any]) -> None:
    labels, told = read(
        "landcover_chiapas_l7", "LE70220491999322EDC01_stack.gtif", path="training_data.shp",
        field="class",
    )  # fmt: skip
    assert labels.total == 718
    assert (
        dict(zip((info.name for info in labels.classes), labels.counts, strict=True))["water"] == 16
    )
    assert told == ["polygons"]


def test_building_footprints_of_a_geojson(read: Callable[..., Any]) -> None:
    labels, told = read(
        "buildings_atlanta", "sample_geotiff.tif", path="geotiff_labels.geojson",
        class_name="building", background="other",
    )  # fmt: skip
    assert labels.total == 900 * 900
    assert len(set(labels.cells.group.tolist())) == 44
    assert told == ["blocks"]


def test_craters_of_a_catalog_are_circles_on_the_moon(read: Callable[..., Any]) -> None:
    labels, _ = read(
        "craters_moon", "moon_dem.tif", path="craters_iau_named.csv",
        columns={"x": "lon_deg", "y": "lat_deg", "diameter_km": "diam_km"}, class_name="crater",
        background="other",
    )  # fmt: skip
    assert 0.2 < labels.counts[0] / labels.total < 0.35


def test_landslide_points(read: Callable[..., Any]) -> None:
    labels, told = read(
        "landslide_ecuador", "dem10m.tif", path="landslide_points.gpkg", field="lslpts",
        classes={"stable": 0, "landslide": 1},
    )  # fmt: skip
    assert labels.counts == (1352, 175)
    assert told == ["blocks"]


def test_soil_points_without_a_class_and_classes_with_one_point(read: Callable[..., Any]) -> None:
    with pytest.raises(LabelsError, match="labelled cells, 'HMoor' 1, 'Moor' 1: label"):
        read("soil_eberg", "grid25m_4b.tif", path="soil_points.gpkg", field="TAXGRSC")


def test_zones_that_cover_all_do_not_stand_apart(read: Callable[..., Any]) -> None:
    labels, told = read(
        "soil_eberg", "grid25m_4b.tif", path="parent_material_zones.gpkg", field="ZONES",
        overlap="smallest",
    )  # fmt: skip
    assert not labels.apart
    assert told[-1] == "blocks"


def test_polygons_on_a_geographic_grid(read: Callable[..., Any]) -> None:
    labels, told = read(
        "landcover_oriximina_s2", "sen2_12b.tif", path="training_polygons.gpkg", field="class"
    )
    assert labels.total == 2370
    assert told == ["polygons"]


def test_a_float_raster_with_a_mask_as_one_class(read: Callable[..., Any], shared: Path) -> None:
    labels, _ = read(
        "sinks_lidar", "dem.tif", path="sink.tif", class_name="sink", background="rest"
    )
    with rasterio.open(shared / "sinks_lidar" / "sink.tif") as dataset:
        assert labels.counts[1] == np.count_nonzero(dataset.read(1) == 0)
