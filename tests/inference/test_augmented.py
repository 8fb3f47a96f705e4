"""geotools.inference.augmented: the mean of a map seen from all sides."""

import numpy as np
import pytest
from conftest import make_grid, make_lonlat_grid, make_raster, make_terrain
from onnx_bytes import CLASSES, image_model, model, neighbourhood_model, node, row_model, tensor

from geotools.errors import ModelError
from geotools.grid import Window
from geotools.inference.augmented import augmented
from geotools.inference.model import Model, shipped_model
from geotools.inference.opening import open_any
from geotools.inference.predict import predict
from geotools.inference.terms import ForeignSettings
from geotools.raster import Raster
from geotools.spec import InputInfo, ModelSpec, OutputInfo


class Memory:
    """A sink in memory."""

    def __init__(self, grid, bands=1, dtype=np.float32):
        self.data = np.zeros((bands, *grid.shape), dtype)

    def write(self, data, window):
        self.data[:, *window.slices()] = data


def mapped(predictor, source, **options):
    """The first band of the map: values, or codes."""
    values = predictor.spec.outputs[0].kind == "values"
    sink = Memory(source.grid, 1, np.float32 if values else np.uint8)
    predict(predictor, source, sink, **options)
    return sink.data[0]


def wrap(nodes, tensors, bands, *, kind="values", halo=0, multiple=1, sizes=False) -> Model:
    """A model of one raster, written by hand; its output is `out`."""
    inputs = [InputInfo("raster", "raster", bands)]
    shapes = {"raster": ["n", len(bands), "h", "w"]}
    if sizes:
        inputs.append(InputInfo("cell_size", "cell_size", ("x", "y"), "m"))
        shapes["cell_size"] = ["n", 2, "h", 1]
    classes = CLASSES if kind == "probabilities" else ()
    spec = ModelSpec(
        name="hand", version="1", task="regression", description="By hand.", inputs=tuple(inputs),
        outputs=(OutputInfo("out", kind, classes),), cell_size_m=(1e-6, 1e6), tile=64, halo=halo,
        stride_multiple=multiple, features=bands if len(bands) > 1 else (),
    )  # fmt: skip
    content = model(
        nodes, tensors, shapes, {"out": ["n", len(classes) or 1, "h", "w"]},
        {"geotools": spec.to_json()},
    )  # fmt: skip
    return Model("hand.onnx", content)


def left_neighbour(**more) -> Model:
    """Gives the value of the cell to the left."""
    kernel = np.zeros((1, 1, 3, 3))
    kernel[0, 0, 1, 0] = 1
    nodes = [node("Conv", ["raster", "kernel"], ["out"], pads=[1] * 4)]
    return wrap(nodes, [tensor("kernel", kernel)], ("a",), halo=1, **more)


def two_halvings() -> Model:
    """Blocks of 4 x 4 cells that see only their middle row, and the blocks beside them."""
    pair = np.zeros((1, 1, 2, 2))
    pair[0, 0, 1] = 0.5  # of two rows the lower one: no mean of all
    beside = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    nodes = [
        node("IsNaN", ["raster"], ["missing"]),
        node("Where", ["missing", "zero", "raster"], ["filled"]),
        node("Conv", ["filled", "pair"], ["half"], strides=[2, 2]),
        node("MaxPool", ["half"], ["quarter"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", ["quarter", "beside"], ["mixed"], pads=[1] * 4),
        node("ConvTranspose", ["mixed", "ones"], ["out"], strides=[4, 4]),
    ]
    ones, zero = np.ones((1, 1, 4, 4)), np.zeros(1)
    named = {"pair": pair, "beside": beside, "ones": ones, "zero": zero}
    tensors = [tensor(*item) for item in named.items()]
    return wrap(nodes, tensors, ("a",), halo=8, multiple=4)


def along_aspect() -> Model:
    """Gives cos(aspect) times what the northern neighbour is higher than the southern one."""
    kernel = np.zeros((1, 1, 3, 3))
    kernel[0, 0, 0, 1], kernel[0, 0, 2, 1] = 1, -1
    nodes = [
        node("Split", ["raster"], ["aspect", "dem"], axis=1),
        node("Mul", ["aspect", "radian"], ["angle"]),
        node("Cos", ["angle"], ["north"]),
        node("Conv", ["dem", "kernel"], ["rise"], pads=[1] * 4),
        node("Mul", ["north", "rise"], ["out"]),
    ]
    tensors = [tensor("kernel", kernel), tensor("radian", np.array([np.pi / 180]))]
    return wrap(nodes, tensors, ("terrain.aspect", "dem"), halo=1)


def features(data, names, grid=None) -> Raster:
    grid = grid or make_grid(data.shape[2], data.shape[1])
    return Raster(data.astype(np.float32), np.ones(grid.shape, bool), grid, names)


def neighbours(image):
    """Left, right, upper and lower neighbour of the inner cells."""
    return image[1:-1, :-2], image[1:-1, 2:], image[:-2, 1:-1], image[2:, 1:-1]


def test_a_model_without_a_side_gives_the_same_map():
    """What is equivariant stays as it is, but for the order in which float32 are added."""
    small = Model("small.onnx", neighbourhood_model())
    source = make_raster(make_terrain(90, 130))
    both = [Memory(source.grid, 2), Memory(source.grid, 2)]
    for predictor, sink in zip((small, augmented(small)), both, strict=True):
        predict(predictor, source, Memory(source.grid, 1, np.uint8), probabilities=sink)
    assert np.abs(both[0].data - both[1].data).max() < 1e-4
    assert augmented(small).spec.halo == small.spec.halo


def test_the_left_neighbour_becomes_the_mean_of_four():
    """A model that looks to one side alone looks to all."""
    image = np.random.default_rng(0).normal(0, 1, (40, 50)).astype(np.float32)
    source = make_raster(image)
    seen = mapped(augmented(left_neighbour(), source.grid), source)
    assert np.allclose(seen[1:-1, 1:-1], np.mean(neighbours(image), axis=0), atol=1e-6)
    assert "8 turns" in augmented(left_neighbour()).spec.parameters["augmented"]


def test_the_answer_turns_with_the_raster():
    """The map of a turned raster is the turned map, whatever the model."""
    image = np.random.default_rng(1).normal(0, 1, (36, 36)).astype(np.float32)
    asked = augmented(left_neighbour())
    block = image[None, None]
    turned = asked.run({"raster": np.ascontiguousarray(np.rot90(block, axes=(2, 3)))})[0]
    assert np.array_equal(np.rot90(asked.run({"raster": block})[0], axes=(2, 3)), turned)


def test_cells_that_are_no_squares_keep_their_rows():
    """Geographic and oblong cells are mirrored, not turned: left and right are alike there."""
    image = np.random.default_rng(0).normal(0, 1, (40, 50)).astype(np.float32)
    source = make_raster(image, make_lonlat_grid(50, 40))
    asked = augmented(left_neighbour(), source.grid)
    left, right = neighbours(image)[:2]
    assert np.allclose(mapped(asked, source)[1:-1, 1:-1], (left + right) / 2, atol=1e-6)
    plain = left_neighbour()
    assert asked.spec.parameters["augmented"] == f"mean of 4 mirrorings of {plain.sha256[:12]}"
    assert len({plain.sha256, asked.sha256, augmented(plain).sha256}) == 3


def test_directions_are_turned_and_not_just_moved():
    """North becomes east with the raster: cos(a) north rise and sin(a) east rise have one mean."""
    rng = np.random.default_rng(2)
    aspect, dem = rng.uniform(0, 360, (30, 30)), rng.normal(0, 1, (30, 30))
    names = ("terrain.aspect", "dem")
    source = features(np.stack([aspect, dem]), names)
    given = source.data.copy()
    seen = mapped(augmented(along_aspect(), source.grid), source)[1:-1, 1:-1]
    left, right, upper, lower = neighbours(dem)
    angle = np.deg2rad(aspect[1:-1, 1:-1])
    expected = (np.cos(angle) * (upper - lower) + np.sin(angle) * (right - left)) / 2
    assert np.allclose(seen, expected, atol=1e-4)
    assert np.array_equal(source.data, given)


def test_half_of_a_direction_is_mirrored_alone():
    """Northness without eastness has no quarter turns: a mirrored row changes its sign."""
    nodes = [
        node("Split", ["raster"], ["north", "dem"], axis=1),
        node("Conv", ["dem", "kernel"], ["rise"], pads=[1] * 4),
        node("Mul", ["north", "rise"], ["out"]),
    ]
    kernel = np.zeros((1, 1, 3, 3))
    kernel[0, 0, 0, 1], kernel[0, 0, 2, 1] = 1, -1
    names = ("terrain.northness", "dem")
    asked = augmented(wrap(nodes, [tensor("kernel", kernel)], names, halo=1))
    rng = np.random.default_rng(3)
    north, dem = rng.uniform(-1, 1, (20, 20)), rng.normal(0, 1, (20, 20))
    seen = mapped(asked, features(np.stack([north, dem]), names))[1:-1, 1:-1]
    _, _, upper, lower = neighbours(dem)
    assert np.allclose(seen, north[1:-1, 1:-1] * (upper - lower), atol=1e-5)
    assert "4" in asked.spec.parameters["augmented"]


def rows_times_x(**more) -> Model:
    """Gives x of the cell's row plus ten times y of the row, and the value of the left cell."""
    kernel = np.zeros((1, 1, 3, 3))
    kernel[0, 0, 1, 0] = 1
    nodes = [
        node("Split", ["cell_size"], ["x", "y"], axis=1),
        node("Mul", ["y", "ten"], ["tens"]),
        node("Add", ["x", "tens"], ["both"]),
        node("Conv", ["raster", "kernel"], ["left"], pads=[1] * 4),
        node("Add", ["left", "both"], ["out"]),
    ]
    tensors = [tensor("kernel", kernel), tensor("ten", np.array([10.0]))]
    return wrap(nodes, tensors, ("a",), halo=1, sizes=True, **more)


@pytest.mark.parametrize("lonlat", [False, True])
def test_cell_sizes_stay_with_their_rows(lonlat):
    """Mirrored rows bring their sizes along; squares of one size are turned, no others."""
    image = np.random.default_rng(4).normal(0, 1, (40, 50)).astype(np.float32)
    source = make_raster(image, (make_lonlat_grid if lonlat else make_grid)(50, 40))
    asked = augmented(rows_times_x(), source.grid)
    x, y = source.grid.cell_size_m()
    sides = neighbours(image)[: 2 if lonlat else 4]
    expected = np.mean(sides, axis=0) + (x + 10 * y)[1:-1, None]
    assert np.allclose(mapped(asked, source)[1:-1, 1:-1], expected, atol=2e-4)
    assert "4" in augmented(rows_times_x()).spec.parameters["augmented"]


def test_web_mercator_rows_are_squares_of_many_sizes():
    """They are turned where the model takes no sizes, and mirrored where it does."""
    grid = make_grid(20, 20, crs="EPSG:3857")
    assert "8" in augmented(left_neighbour(), grid).spec.parameters["augmented"]
    assert "4" in augmented(rows_times_x(), grid).spec.parameters["augmented"]


@pytest.mark.parametrize(("left", "top"), [(500_000.0, 5_000_000.0), (500_030.0, 4_999_910.0)])
def test_tiles_do_not_change_the_mean_of_a_net_that_halves(left, top):
    """Mirrored blocks keep the phase of the halvings: any tile, and any extent, the same values."""
    image = make_terrain(150, 190) - 800
    source = make_raster(image, make_grid(190, 150, left=left, top=top))
    asked = augmented(two_halvings(), source.grid)
    whole = mapped(asked, source, tile=4096)
    assert np.abs(whole - mapped(two_halvings(), source, tile=4096)).max() > 1
    for tile in (16, 50, 64):
        assert np.array_equal(mapped(asked, source, tile=tile, threads=2), whole)
    window = Window(13, 7, 130, 120)
    part = mapped(asked, source.read(window))
    assert np.array_equal(part[8:-8, 8:-8], whole[window.slices()][8:-8, 8:-8])


def test_landforms_seen_from_all_sides():
    """The shipped model nearly agrees with its own mean: it was trained on turned terrain."""
    source = make_raster(make_terrain(80, 90))
    net = shipped_model("landforms-v1")
    assert (mapped(augmented(net, source.grid), source) == mapped(net, source)).mean() > 0.97


def test_blocks_of_one_size(tmp_path):
    """Somebody else's net of square blocks is turned; its map keeps their size."""
    (tmp_path / "f.onnx").write_bytes(image_model(side=64, bands=1))
    asked = augmented(open_any(tmp_path / "f.onnx", ForeignSettings(values=True, scale=1)))
    assert "8" in asked.spec.parameters["augmented"]
    assert asked.side == (64, 64)
    image = np.random.default_rng(5).normal(0, 1, (90, 100)).astype(np.float32)
    assert np.allclose(mapped(asked, make_raster(image)), image, atol=1e-6)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (row_model(), "single cells"),
        (row_model("sequence"), "single cells"),
    ],
)
def test_single_cells_have_nothing_to_turn(content, words):
    """Models of single cells are refused in one sentence."""
    with pytest.raises(ModelError, match=words):
        augmented(Model("rows.onnx", content))


def test_light_stays_where_it_is():
    """A model that takes hillshade is refused by the name of the feature."""
    nodes = [node("ReduceMean", ["raster"], ["out"], axes=[1])]
    with pytest.raises(ModelError, match=r"terrain\.hillshade"):
        augmented(wrap(nodes, [], ("terrain.hillshade", "dem")))
    with pytest.raises(ModelError, match="single cells"):
        augmented(shipped_model("seismicity-global-v1"))
