"""What must not be learned from: the same ground in another scene, the label itself."""

import dataclasses

import numpy as np
import pytest
from affine import Affine
from conftest import make_grid, write_tif

from geotools.errors import LabelsError, RasterError
from geotools.features.opening import open_stack
from geotools.spec import SourceInfo
from geotools.training.config import make_config
from geotools.training.labels.cells import Cells
from geotools.training.labels.rasters import raster_scenes
from geotools.training.sections import SplitConfig
from geotools.training.splits.splitting import split_cells


def two_scenes(offset: float, *, cols: int = 40):
    """Six strips as polygons in two scenes, the second a part of a cell to the right."""
    first = make_grid(cols, 12)
    second = dataclasses.replace(first, transform=first.transform @ Affine.translation(offset, 0))
    row, col = (part.ravel() for part in np.mgrid[:12, :cols])
    parts = []
    for scene, grid in enumerate((first, second)):
        x, y = grid.transform @ (col + 0.5, row + 0.5)
        parts.append((np.full(len(row), scene), row, col, x, y, row // 2 + 6 * scene))
    scene, row, col, x, y, group = (np.concatenate(part) for part in zip(*parts, strict=True))
    cells = Cells(
        scene.astype(np.int32), row.astype(np.int32), col.astype(np.int32),
        (group % 2).astype(np.int16), group.astype(np.int32), x, y, np.full(len(x), np.nan),
    )  # fmt: skip
    return cells, (first, second)


@pytest.mark.parametrize("offset", [0.0, 0.3, 0.6])
def test_polygons_on_the_same_ground_are_in_one_fold(offset):
    """However the grids of two scenes lie to each other."""
    cells, grids = two_scenes(offset)
    split = split_cells(cells, SplitConfig(kind="polygons", folds=3), grids=grids)
    for strip in range(6):
        assert len(set(split.fold[(cells.group % 6) == strip])) == 1


def test_scenes_of_the_same_ground_are_told_of():
    """Leaving one of them out keeps nothing apart."""
    cells, grids = two_scenes(0.3)
    told: list[str] = []
    split_cells(cells, SplitConfig(kind="raster"), grids=grids, warn=told.append)
    assert any("share ground" in sentence for sentence in told)
    apart, grids = two_scenes(60.0)
    told.clear()
    split_cells(apart, SplitConfig(kind="raster"), grids=grids, warn=told.append)
    assert not any("share ground" in sentence for sentence in told)


@pytest.mark.parametrize(
    "bands", [None, ["b1", "label"], ["b1", "Label"], [1, 2], {"a": 1, "b": 2}]
)
def test_a_label_band_is_refused_by_any_spelling(tmp_path, bands):
    """Description, its plain form, number, or a name of one's own."""
    grid = make_grid(8, 8)
    data = np.stack([np.arange(64), np.arange(64) % 2]).reshape(2, 8, 8).astype(np.int16)
    path = write_tif(tmp_path / "image.tif", data, grid)
    import rasterio

    with rasterio.open(path, "r+") as file:
        file.descriptions = ("b1", "Label")
    given = {"name": "img", "path": str(path)}
    if bands is not None:
        given["bands"] = bands
    config = make_config({"name": "x", "inputs": [given], "labels": {"path": str(path), "band": 2}})
    with pytest.raises(LabelsError, match="is learned from"):
        raster_scenes(config, [path], [grid], find=lambda text: path)


def test_bands_that_moved_are_refused(tmp_path):
    """A raster that has a wanted band elsewhere is not read by numbers."""
    path = write_tif(tmp_path / "image.tif", np.ones((3, 4, 4), np.float32), make_grid(4, 4))
    import rasterio

    with rasterio.open(path, "r+") as file:
        file.descriptions = ("swir1", "red", "nir")
    info = SourceInfo("s2", ("red", "nir", "swir"), (1, 2, 3), 3)
    with pytest.raises(RasterError, match="red in band 2"):
        open_stack([[path]], [info], ["s2.red"])
