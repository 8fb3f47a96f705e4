"""What is mapped does not depend on how it is cut, over random grids: invariant 2."""

import numpy as np
import pytest
import rasterio
from conftest import make_grid, make_raster, make_terrain, write_tif
from onnx_bytes import CLASSES, image_model, model, neighbourhood_model, node, tensor

from geotools.effort import Effort
from geotools.engine.run import Running
from geotools.grid import Window
from geotools.inference.model import Model
from geotools.inference.opening import open_any
from geotools.inference.predict import predict
from geotools.inference.prediction import Prediction
from geotools.inference.terms import ForeignSettings
from geotools.maps import AreaOptions, map_predictions
from geotools.raster import Part
from geotools.spec import InputInfo, ModelSpec, OutputInfo


def halving_model() -> bytes:
    """Two classes from blocks of 4 x 4 cells, halved twice, and the blocks beside them."""
    nodes = [
        node("IsNaN", ["elevation"], ["missing"]),
        node("Where", ["missing", "zero", "elevation"], ["filled"]),
        node("MaxPool", ["filled"], ["half"], kernel_shape=[2, 2], strides=[2, 2]),
        node("MaxPool", ["half"], ["quarter"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", ["quarter", "beside"], ["mixed"], pads=[1] * 4),
        node("ConvTranspose", ["mixed", "ones"], ["above"], strides=[4, 4]),
        node("Neg", ["above"], ["below"]),
        node("Concat", ["below", "above"], ["logits"], axis=1),
        node("Softmax", ["logits"], ["p"], axis=1),
    ]
    beside = np.full((1, 1, 3, 3), -1 / 90)
    beside[0, 0, 1, 1] = 8 / 90
    spec = ModelSpec(
        name="halving", version="1", task="semantic-segmentation", description="Blocks.",
        inputs=(InputInfo("elevation", "raster", ("b0",), "m"),),
        outputs=(OutputInfo("p", "probabilities", CLASSES),), cell_size_m=(5.0, 100.0),
        tile=128, halo=8, stride_multiple=4,
    )  # fmt: skip
    tensors = {"beside": beside, "ones": np.ones((1, 1, 4, 4)), "zero": np.zeros(1)}
    return model(
        nodes, [tensor(*item) for item in tensors.items()], {"elevation": ["n", 1, "h", "w"]},
        {"p": ["n", 2, "h", "w"]}, {"geotools": spec.to_json()},
    )  # fmt: skip


MODELS = {"surroundings": neighbourhood_model, "halvings": halving_model}


class Memory:
    """A sink in memory that counts how often a cell is written."""

    def __init__(self, grid, bands=1, dtype=np.float32):
        self.data = np.full((bands, *grid.shape), np.nan if dtype == np.float32 else 0, dtype)
        self.times = np.zeros(grid.shape, int)

    def write(self, data, window):
        self.data[:, *window.slices()] = data
        self.times[window.slices()] += 1


def random_raster(rng):
    """Terrain of any size and place, with holes and a void corner."""
    rows, cols = (int(n) for n in rng.integers(20, 260, 2))
    valid = rng.random((rows, cols)) > 0.03
    valid[: int(rng.integers(0, rows)), : int(rng.integers(0, cols // 2))] = False
    left, top = (30.0 * float(n) for n in rng.integers(10_000, 20_000, 2))
    elevation = make_terrain(rows, cols, seed=int(rng.integers(100)))
    return make_raster(elevation, make_grid(cols, rows, left=left, top=top), valid)


def shares(net, source, tile):
    """Codes and the probabilities of all classes."""
    codes, every = Memory(source.grid, 1, np.uint8), Memory(source.grid, 2)
    predict(net, source, codes, probabilities=every, tile=tile)
    assert codes.times.max() <= 1
    return codes.data[0], every.data


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", MODELS)
def test_tiles_and_extents_do_not_change_the_map(name, seed):
    """Any size of tiles, and any part of a raster: bit for bit what one pass over all gives."""
    rng = np.random.default_rng(seed)
    net, source = Model(name, MODELS[name]()), random_raster(rng)
    codes, every = shares(net, source, 4096)
    assert np.array_equal(codes > 0, source.valid)
    for tile in (int(n) for n in rng.integers(16, 200, 2)):
        found = shares(net, source, tile)
        assert np.array_equal(found[0], codes)
        assert np.array_equal(found[1], every, equal_nan=True)
    rows, cols = source.grid.shape
    col, row = int(rng.integers(0, cols // 2)), int(rng.integers(0, rows // 2))
    window = Window(col, row, int(rng.integers(1, cols - col)), int(rng.integers(1, rows - row)))
    part = shares(net, Part(source, window), int(rng.integers(16, 100)))
    assert np.array_equal(part[1], every[:, *window.slices()], equal_nan=True)
    inside = Prediction(net, source, tile=int(rng.integers(16, 100)), window=window)
    sink = Memory(inside.grid, 1, np.uint8)
    for tile in inside.tiling.tiles(source.grid):
        given = inside.tile(tile)
        sink.write(np.zeros(1) if given is None else given[0], inside.placed(tile.write))
    assert (sink.times == 1).all()
    assert np.array_equal(sink.data[0], codes[window.slices()])
    # A raster that ends there: the same but for a halo along the cut.
    halo = net.spec.halo
    alone = shares(net, source.read(window), 64)[0]
    inner = (slice(halo, window.height - halo), slice(halo, window.width - halo))
    assert np.array_equal(alone[inner], codes[window.slices()][inner])


@pytest.mark.parametrize("seed", range(6))
def test_a_constant_model_gives_a_constant_map(seed, tmp_path):
    """To the last cell of the border, whatever the tiles; holes stay holes, all cells are there.

    One that gives the same everywhere, and one of others that sees its surroundings on a raster of
    one value, whose blocks reach beyond the raster.
    """
    rng = np.random.default_rng(seed)
    source = random_raster(rng)
    source.data[:] = 7
    path = tmp_path / "net.onnx"
    path.write_bytes(image_model(bands=1, channels=1, side=64, radius=int(rng.integers(0, 6))))
    net = open_any(path, ForeignSettings(scale=1.0, values=True, overlap_percent=20))
    sink = Memory(source.grid)
    predict(net, source, sink)
    assert np.array_equal(np.isfinite(sink.data[0]), source.valid)
    assert np.abs(sink.data[0][source.valid] - 7).max(initial=0) < 1e-5
    nodes = [node("Mul", ["image", "zero"], ["none"]), node("Add", ["none", "one"], ["out"])]
    tensors = [tensor("zero", np.zeros(1)), tensor("one", np.array([0.25]))]
    path.write_bytes(model(nodes, tensors, {"image": [1, 1, 32, 32]}, {"out": [1, 1, 32, 32]}, {}))
    net = open_any(path, ForeignSettings(scale=1.0, values=True))
    sink = Memory(source.grid)
    predict(net, random_raster(np.random.default_rng(seed)), sink)
    assert np.array_equal(sink.data[0] == 0.25, source.valid)


@pytest.mark.parametrize("seed", range(3))
def test_files_do_not_depend_on_how_they_are_made(seed, tmp_path):
    """Tiles, units, threads and executors: the same cells; one size of units, the same bytes."""
    rng = np.random.default_rng(seed)
    source = random_raster(rng)
    data = np.where(source.valid, source.data[0], np.float32(-9999))
    raster = write_tif(tmp_path / "dem.tif", data, source.grid, nodata=-9999.0)
    (tmp_path / "net.onnx").write_bytes(halving_model())

    def cells(tile, threads, running, area=None):
        made = map_predictions(
            tmp_path / "net.onnx", raster, tmp_path / "out.tif", probabilities="float32",
            effort=Effort(tile=tile, threads=threads), running=running, overwrite=True, area=area,
        )  # fmt: skip
        with rasterio.open(made.path) as one, rasterio.open(made.probabilities) as two:
            return np.concatenate([one.read(), two.read()])

    first = cells(48, 1, Running(executor="serial", unit_cells=64))
    bytes_of = (tmp_path / "out.tif").read_bytes()
    again = cells(48, 3, Running(executor="threads", unit_cells=64))
    assert (tmp_path / "out.tif").read_bytes() == bytes_of
    assert np.array_equal(first, again, equal_nan=True)
    executor = "processes" if seed == 0 else "threads"
    other = cells(
        int(rng.integers(16, 300)),
        2,
        Running(executor=executor, unit_cells=int(rng.integers(64, 300))),
    )
    assert np.array_equal(first, other, equal_nan=True)
    left, bottom, right, top = source.grid.bounds
    area = AreaOptions((left + 95, bottom + 65, right - 125, top - 155))
    part = cells(32, 2, Running(), area)
    rows, cols = source.grid.shape
    assert np.array_equal(part, first[:, 5 : rows - 2, 3 : cols - 4], equal_nan=True)
