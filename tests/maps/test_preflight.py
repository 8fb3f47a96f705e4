"""geotools.maps.preflight: what a prediction would take, before it runs."""

import json
import os
from unittest import mock

import numpy as np
import pytest
import rasterio
from conftest import make_grid, make_terrain, write_tif
from onnx_bytes import image_model, neighbourhood_model

from geotools.effort import Effort
from geotools.engine.run import Running
from geotools.errors import GeotoolsError, RasterError
from geotools.inference.terms import ForeignSettings
from geotools.maps import (
    AreaOptions,
    RasterOptions,
    check_order,
    map_predictions,
    order_landforms,
    order_predictions,
)
from geotools.maps import preflight as module
from geotools.maps.preflight import Foretold, about
from geotools.stream import Step


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(neighbourhood_model())
    return path


def test_nothing_is_written(dem_tif, model, tmp_path):
    """Tiles, units, bands, cells, disk, memory and time; and no file more than before."""
    before = sorted(os.listdir(tmp_path))
    found = check_order(
        order_predictions(
            model, dem_tif, tmp_path / "out.tif", probabilities="float32",
            effort=Effort(tile=32, threads=1), running=Running(unit_cells=64),
        )
    )  # fmt: skip
    assert sorted(os.listdir(tmp_path)) == before
    assert (found.width, found.height) == (170, 150)
    assert (found.tiles, found.units, found.done) == (30, 9, 0)
    assert found.bands == (("b0", "elevation"),)
    assert found.cell_size_m == (30, 30)
    assert found.dtype == "float32"
    assert 490 < found.values[0] < found.values[1] < 1110
    assert found.valid_share == 1
    assert found.seconds > 0
    # Parts and outputs with overviews, of a byte for the class and two float32.
    assert found.disk_bytes == pytest.approx(170 * 150 * 9 * (1 + 4 / 3), abs=1)
    assert found.free_bytes > 0
    assert found.warnings == ()
    assert json.loads(json.dumps(found.as_dict()))["tiles"] == 30
    assert any("30 tiles of 32 in 9 units" in line for line in found.lines())


def test_what_would_be_gone_on_from(dem_tif, model, tmp_path):
    """Units whose parts lie in the folder of the same job; of another one none."""
    asked = {
        "effort": Effort(tile=32, threads=1),
        "running": Running(unit_cells=64, folder=tmp_path / "job"),
    }

    def stop(step):
        if step.done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        map_predictions(model, dem_tif, tmp_path / "out.tif", **asked, progress=stop)
    found = check_order(order_predictions(model, dem_tif, tmp_path / "out.tif", **asked))
    assert 0 < found.done < found.units
    assert any(f"{found.done} of them done" in line for line in found.lines())
    other = check_order(order_predictions(model, dem_tif, tmp_path / "out.tif", tta=True, **asked))
    assert other.done == 0


def test_only_tiles_with_cells_are_tried(model, tmp_path):
    """A raster of voids has no time; with an area it is that of the area."""
    elevation = np.full((150, 170), -9999, np.float32)
    empty = write_tif(tmp_path / "empty.tif", elevation, nodata=-9999.0)
    found = check_order(order_predictions(model, empty, tmp_path / "out.tif"))
    assert (found.seconds, found.valid_share) == (None, 0)
    assert any("no valid cell" in line for line in found.lines())
    elevation[100:110, 120:130] = make_terrain(10, 10)
    spot = write_tif(tmp_path / "spot.tif", elevation, nodata=-9999.0)
    found = check_order(
        order_predictions(model, spot, tmp_path / "out.tif", effort=Effort(tile=32))
    )
    assert found.seconds > 0
    assert 0 < found.valid_share < 0.3
    area = AreaOptions((500_000, 4_999_000, 500_700, 5_000_000))
    found = check_order(order_predictions(model, spot, tmp_path / "out.tif", area=area))
    assert (found.width, found.height, found.seconds) == (24, 34, None)


def test_disk_and_memory_that_will_not_do(dem_tif, model, tmp_path, monkeypatch):
    """A warning of a dry run and of a real one."""
    with mock.patch.object(module.shutil, "disk_usage") as usage:
        usage.return_value.free = 1000
        found = check_order(order_predictions(model, dem_tif, tmp_path / "out.tif"))
        said = []
        map_predictions(model, dem_tif, tmp_path / "out.tif", warn=said.append)
    assert "compression may not be enough" in found.warnings[0]
    assert list(found.warnings) == said
    monkeypatch.setattr(module, "available_bytes", lambda: 2**20)
    found = check_order(order_predictions(model, dem_tif, tmp_path / "new.tif"))
    assert "give --memory" in found.warnings[0]
    small = Effort(memory_bytes=100 * 2**20)
    order = order_predictions(model, dem_tif, tmp_path / "new.tif", effort=small)
    with pytest.raises(GeotoolsError, match="allowed are 100 MB"):
        check_order(order)


def test_cells_of_another_size_are_brought_there(model, tmp_path):
    """Refused with the flag that helps; with it the map has cells that the model was made for."""
    coarse = write_tif(tmp_path / "coarse.tif", make_terrain(40, 50), make_grid(50, 40, cell=400.0))
    with pytest.raises(RasterError, match=r"made for 5 to 100 m: give --resample"):
        check_order(order_predictions(model, coarse, tmp_path / "out.tif"))
    reading = RasterOptions(resample=True)
    found = check_order(order_predictions(model, coarse, tmp_path / "out.tif", reading=reading))
    assert (found.width, found.height) == (200, 160)
    made = map_predictions(model, coarse, tmp_path / "out.tif", reading=reading)
    with rasterio.open(made.path) as dataset:
        assert dataset.transform.a == 100
        assert (dataset.read(1) > 0).all()
    fits = write_tif(tmp_path / "fits.tif", make_terrain(40, 50))
    found = check_order(order_predictions(model, fits, tmp_path / "b.tif", reading=reading))
    assert (found.width, found.height) == (50, 40)


def test_what_foreign_models_do_with_tiles_and_voids(tmp_path):
    """How tiles join, and the fill policy, are named."""
    rgb = np.random.default_rng(0).integers(0, 256, (3, 80, 90)).astype(np.uint8)
    raster = write_tif(tmp_path / "rgb.tif", rgb)
    (tmp_path / "net.onnx").write_bytes(image_model(channels=1, side=64, radius=9))
    settings = ForeignSettings(scale=1.0, values=True, overlap_percent=0, fill="zero")
    found = check_order(
        order_predictions(tmp_path / "net.onnx", raster, tmp_path / "o.tif", foreign=settings)
    )
    assert found.seams == "tiles side by side"
    assert found.fill == "zero"
    assert found.dtype == "uint8"
    assert any("made for any" in line for line in found.lines())


def test_landforms_before_they_are_made(dem_tif, tmp_path):
    """The shipped model; cells that it never saw are refused as they are by the map."""
    found = check_order(order_landforms(dem_tif, tmp_path / "out.tif"))
    assert found.model == "landforms-v1"
    wide = write_tif(tmp_path / "w.tif", make_terrain(30, 30), make_grid(30, 30, cell=900.0))
    with pytest.raises(RasterError, match="--method geomorphons"):
        check_order(order_landforms(wide, tmp_path / "out.tif"))


def test_long_runs_are_foretold_once(monkeypatch):
    """When tiles have shown how fast they are; shorter ones are not."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    for total, expected in ((1000, ["996 tiles are left, for about 25 minutes."]), (20, [])):
        now[0] = 0.0
        said, steps = [], []
        told = Foretold("classifying", steps.append, said.append)
        for done in range(1, 9):
            now[0] += 1.5
            told(Step("classifying", done, total))
        assert said == expected
        assert len(steps) == 8
    assert about(40) == "about 40 s"
    assert about(3 * 3600) == "about 3.0 hours"
