"""geotools.inference.foreign: models that others made, with metadata and without."""

import json
from dataclasses import replace

import numpy as np
import pytest
from conftest import make_grid
from onnx_bytes import FLOAT16, FLOAT64, INT16, UINT8, UINT16, image_model, integers, model, node

from geotools.errors import ModelError
from geotools.inference.foreign import ForeignSettings
from geotools.inference.opening import open_any
from geotools.inference.predict import predict
from geotools.raster import Raster

VALUES = ForeignSettings(scale=1.0, values=True)
NAMED = {"model_type": '"Segmentor"', "class_names": '{"0": "water", "1": "land"}'}


class Memory:
    """A sink in memory that every cell is written to once at most."""

    def __init__(self, grid, bands=1, dtype=np.uint8, empty=0):
        self.data = np.full((bands, *grid.shape), empty, dtype)
        self.times = np.zeros(grid.shape, int)

    def write(self, data, window):
        assert data.dtype == self.data.dtype
        self.data[:, *window.slices()] = data
        self.times[window.slices()] += 1


@pytest.fixture
def opened(tmp_path):
    def open_(content, settings=None):
        path = tmp_path / "model.onnx"
        path.write_bytes(content)
        return open_any(path, settings)

    return open_


def make_image(rows, cols, *, bands=3, high=255, holes=True):
    rng = np.random.default_rng(rows)
    data = rng.integers(0, high + 1, (bands, rows, cols)).astype(np.float32)
    valid = np.ones((rows, cols), bool)
    if holes:
        valid[rows // 3 : rows // 2, cols // 4 : cols // 2] = False
    grid = make_grid(cols, rows, cell=0.1)
    return Raster(data, valid, grid, tuple(f"b{n}" for n in range(bands)))


def values_of(model, source):
    sink = Memory(source.grid, model.channels, np.float32, np.nan)
    predict(model, source, sink)
    return sink.data


LAYOUTS = {
    "(1, 1, H, W)": {},
    "any batch": {"batch": "n"},
    "batches of 4": {"batch": 4},
    "(B, H, W)": {"batch": "n", "flat": True},
    "(1, H, W)": {"flat": True},
    "three channels": {"channels": 3},
    "valid convolutions": {"radius": 3, "padded": False},
    "a map of unsaid size": {"radius": 3, "padded": False, "open_shape": True, "side": "s"},
    "any size": {"side": "s", "batch": "n"},
    "NHWC": {"last": True},
    "NHWC without channels": {"last": True, "flat": True},
    "uint8": {"kind": UINT8},
    "uint16": {"kind": UINT16},
    "int16": {"kind": INT16},
    "float16": {"kind": FLOAT16},
    "float64": {"kind": FLOAT64},
    "two outputs": {"heads": 2},
    "one band": {"bands": 1},
}


@pytest.mark.parametrize("shape", [(20, 37), (64, 64), (150, 131)])
@pytest.mark.parametrize("name", LAYOUTS)
def test_every_cell_in_its_place(opened, name, shape):
    """A net that gives the mean of its bands gives it for each cell, whatever its layout."""
    model = opened(image_model(**LAYOUTS[name]), ForeignSettings(1.0, values=True, tile_size=None
                   if LAYOUTS[name].get("side") != "s" else 64))  # fmt: skip
    source = make_image(*shape, bands=LAYOUTS[name].get("bands", 3))
    found = values_of(model, source)
    if LAYOUTS[name].get("radius"):
        flat = make_flat(shape)
        assert np.allclose(values_of(model, flat), 7)
        ramp = make_ramp(shape)
        inner = np.s_[3:-3, 3:-3]
        assert np.allclose(values_of(model, ramp)[0][inner], ramp.data[0][inner], atol=1e-3)
        return
    mean = source.data.mean(axis=0)
    for channel, plane in enumerate(found):
        assert np.allclose(plane[source.valid], (channel + 1) * mean[source.valid], atol=1e-3)
        assert np.isnan(plane[~source.valid]).all()


def make_flat(shape):
    grid = make_grid(shape[1], shape[0], cell=0.1)
    return Raster(np.full((3, *shape), 7, np.float32), np.ones(shape, bool), grid, ("a", "b", "c"))


def make_ramp(shape):
    """A plane: the mean around a cell is the cell."""
    rows, cols = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    grid = make_grid(shape[1], shape[0], cell=0.1)
    data = np.stack([2 * rows - 3 * cols] * 3)
    return Raster(data, np.ones(shape, bool), grid, ("a", "b", "c"))


@pytest.mark.parametrize("shape", [(20, 37), (70, 64), (150, 131)])
def test_a_constant_raster_gives_a_constant_map(opened, shape):
    """To the last cell of the border, though the net counts zeros beyond its blocks."""
    model = opened(image_model(radius=3, side=64), VALUES)
    assert model.spec.halo == 5  # half of 15 % of 64
    source = make_flat(shape)
    source.valid[5:9, 4:8] = False
    found = values_of(model, source)
    assert np.allclose(found[0][source.valid], 7)


def test_where_blocks_meet_the_middle_is_written(opened):
    """With an overlap of the net's reach, tiles are not to be seen."""
    settings = ForeignSettings(1.0, values=True, overlap_percent=20)
    seen = opened(image_model(radius=3, side=64), settings)
    whole = opened(image_model(radius=3, side=256), settings)
    source = make_image(180, 200, holes=False)
    inner = np.s_[10:-10, 10:-10]
    assert np.allclose(values_of(seen, source)[0][inner], values_of(whole, source)[0][inner],
                       atol=1e-3)  # fmt: skip
    lie = opened(image_model(radius=3, side=64), ForeignSettings(1.0, values=True,
                 overlap_percent=0))  # fmt: skip
    assert not np.allclose(values_of(lie, source)[0][inner], values_of(whole, source)[0][inner],
                           atol=1e-3)  # fmt: skip


def classes_of(model, source, **options):
    sink = Memory(source.grid, 2)
    predict(model, source, sink, confidence=True, **options)
    assert sink.times.max() == 1
    return sink.data


def test_one_channel_is_a_class_and_what_it_is_not(opened):
    """A lone name: background below the threshold, the class from it on, with its probability."""
    metadata = {"model_type": '"Segmentor"', "class_names": "[{'0': 'Coffee'}]"}
    source = make_image(40, 50)
    for threshold in (None, 0.0, 0.3, 0.7):
        if threshold is not None:
            metadata["seg_thresh"] = json.dumps(threshold)
        model = opened(image_model(metadata=metadata))
        assert [(info.code, info.name) for info in model.spec.classes] == [
            (1, "background"), (2, "Coffee"),
        ]  # fmt: skip
        p = source.data.mean(axis=0) / 255
        codes, sure = classes_of(model, source)
        above = np.where(p >= (threshold or 0.5), 2, 1)
        away = source.valid & (np.abs(p - (threshold or 0.5)) > 1e-5)
        assert np.array_equal(codes[away], above[away])
        expected = np.clip(np.rint(np.where(above == 2, p, 1 - p) * 100), 1, 100)
        assert np.abs(sure.astype(int) - expected)[away].max() <= 1
        assert np.array_equal(codes == 0, ~source.valid)


def test_settings_win_over_metadata(opened):
    """Scale, mean, deviation and classes of the user; codes as given."""
    metadata = NAMED | {"standardization_mean": "[9, 9, 9]", "standardization_std": "[9, 9, 9]"}
    settings = ForeignSettings(
        scale=0.01, mean=(0.5,), std=(2.0,), classes=((7, "low"), (3, "high")), activation="softmax"
    )
    model = opened(image_model(channels=2, metadata=metadata), settings)
    source = make_image(30, 30)
    codes, _ = classes_of(model, source)
    z = (source.data.mean(axis=0) * 0.01 - 0.5) / 2  # the channels are z and 2 z
    assert np.array_equal(codes[source.valid], np.where(z > 0, 3, 7)[source.valid])


def test_standardisation_comes_after_the_255(opened):
    """Deepness: (x / 255 - mean) / std, whatever the dtype of the raster."""
    metadata = {
        "model_type": '"Regressor"', "reg_output_scaling": "2.5",
        "standardization_mean": "[0.1, 0.2, 0.3]", "standardization_std": "[0.5, 0.5, 0.25]",
    }  # fmt: skip
    source = make_image(30, 30, high=4000)
    mean, std = np.array([0.1, 0.2, 0.3]), np.array([0.5, 0.5, 0.25])
    z = (source.data / 255 - mean[:, None, None]) / std[:, None, None]
    found = values_of(opened(image_model(metadata=metadata)), source)[0]
    assert np.allclose(found[source.valid], 2.5 * z.mean(axis=0)[source.valid], atol=1e-4)


def test_heads_are_chosen(opened):
    """The first output, and a note of the others; or the one asked for, with its own classes."""
    metadata = {"class_names": '[{"0": "Coffee"}, {"0": "Juice"}]'}
    first = opened(image_model(heads=2, metadata=metadata))
    assert first.spec.classes[1].name == "Coffee"
    assert "2 outputs (out1, out2)" in first.notes[0]
    second = opened(image_model(heads=2, metadata=metadata), ForeignSettings(head=2))
    assert second.spec.classes[1].name == "Juice"
    assert second.spec.outputs[0].name == "out2"
    assert not second.notes
    smooth = opened(image_model(metadata=metadata | {"seg_small_segment": "9"}))
    assert "median of 9 cells" in smooth.notes[0]


def test_names_can_be_written(opened):
    """What no table or style could hold is left out of the names of classes."""
    names = json.dumps({"0": "wa\nter\u0000", "1": "", "2": "<b>&\u00e9"})
    model = opened(image_model(channels=3, metadata={"class_names": names}))
    assert [info.name for info in model.spec.classes] == ["wa ter", "class 2", "<b>&é"]


METADATA = {
    "a mean alone": ({"standardization_mean": "[1,2,3]"}, "mean without a standard"),
    "resolution of text": ({"resolution": '"fine"'}, "resolution = 'fine'"),
    "resolution not finite": ({"resolution": "NaN"}, "resolution = 'nan'"),
    "classes that begin at 1": ({"class_names": '{"1": "a"}'}, "not 0, 1, 2"),
    "classes cut off": ({"class_names": '{"0": "wat'}, "which is cut off"),
    "three names for one": ({"class_names": '["a", "b", "c"]'}, "3 are named"),
    "a detector": ({"model_type": '"Detector"'}, "finds objects"),
    "a plain detector": ({"model_type": "Detector"}, "finds objects"),
    "an absurd overlap": ({"tiles_overlap": "99"}, "overlap its tiles by 99"),
    "means of two bands": (
        {"standardization_mean": "[1, 2]", "standardization_std": "[1, 2]"},
        "mean has 2 numbers",
    ),
    "deviations of 0": (
        {"standardization_mean": "[1, 2, 3]", "standardization_std": "[1, 0, 2]"},
        "deviations above 0",
    ),
    "code instead of a value": ({"resolution": "__import__('os').getpid()"}, "resolution = "),
    "a bomb of brackets": ({"class_names": "[" * 100_000}, "which is cut off"),
    "a long value": ({"class_names": "[" * 300_000}, "300,000 characters"),
}


@pytest.mark.parametrize("name", METADATA)
def test_metadata_that_cannot_be(opened, name):
    """One sentence each."""
    more, words = METADATA[name]
    with pytest.raises(ModelError, match=words) as told:
        opened(image_model(metadata=NAMED | more))
    assert str(told.value).count("\n") == 0
    assert len(str(told.value)) < 400


def test_both_spellings_of_the_tile(opened):
    """`tile_size` and `tiles_size` are the side of a block where the graph takes any."""
    for key in ("tile_size", "tiles_size"):
        found = opened(image_model(side="s", metadata=NAMED | {key: "96"}),
                       ForeignSettings(values=True))  # fmt: skip
        assert found.side == (96, 96)


GRAPHS = {
    "nothing is known": (image_model(), None, "--scale 1/255, .*--classes"),
    "no classes": (image_model(), ForeignSettings(scale=1.0), "--classes"),
    "no scale": (image_model(), ForeignSettings(values=True), "--scale"),
    "an absurd side": (image_model(side=1_000_000), VALUES, "too large"),
    "an absurd batch": (image_model(batch=100_000), VALUES, "too large"),
    "a side of nothing": (image_model(side=0), VALUES, "holds nothing|cannot be loaded"),
    "no such head": (image_model(), ForeignSettings(head=3), "1 outputs, not 3"),
    "another tile": (image_model(), ForeignSettings(1.0, tile_size=96), "64 x 64"),
    "a huge tile": (image_model(side="s"), ForeignSettings(1.0, tile_size=10**6), "16 to 4096"),
    "a code twice": (
        image_model(),
        ForeignSettings(1.0, classes=((4, "a"), (4, "b"))),
        "one of them twice",
    ),
    "two inputs": (
        model(
            [node("Add", ["a", "b"], ["y"])], [],
            {"a": [1, 3, 64, 64], "b": [1, 3, 64, 64]}, {"y": [1, 3, 64, 64]}, {},
        ),
        VALUES, "has 2 inputs",
    ),
    "too long a vector": (
        model(
            [node("Reshape", ["a", "s"], ["y"])], [integers("s", [1, 3 * 64 * 64])],
            {"a": [1, 3, 64, 64]}, {"y": [1, 3 * 64 * 64]}, {},
        ),
        VALUES, "12288 values for a cell",
    ),
    "a map coarser by no whole factor": (
        model(
            [node("MaxPool", ["a"], ["y"], kernel_shape=[3, 3], strides=[3, 3])], [],
            {"a": [1, 3, 64, 64]}, {"y": [1, 3, "r", "c"]}, {},
        ),
        VALUES, "21 x 21 cells for 64 x 64, .* nor coarser by one whole factor",
    ),
    "an absurd number of bands": (image_model(bands=4096, side=256), VALUES, "too large"),
    "boxes": (
        model(
            [node("Reshape", ["a", "s"], ["y"])], [integers("s", [1, 4, 4096])],
            {"a": [1, 4, 64, 64]}, {"y": [1, 4, 4096]}, {},
        ),
        ForeignSettings(1.0, values=True), "boxes of a detector",
    ),
    "a resolution of nothing": (
        image_model(), ForeignSettings(1.0, values=True, resolution_cm=-5), "--resolution above 0",
    ),
    "no image": (
        model([node("Identity", ["a"], ["y"])], [], {"a": [1, 64]}, {"y": [1, 64]}, {}),
        VALUES, "not images",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_that_give_no_map(opened, name):
    """One sentence each, before anything of their size is made."""
    content, settings, words = GRAPHS[name]
    with pytest.raises(ModelError, match=words):
        opened(content, settings)


def test_a_graph_that_would_fill_the_memory(opened):
    """What a graph needs beyond half of the machine's memory is refused, not tried."""
    content = model(
        [
            node("ConstantOfShape", ["shape"], ["big"]),
            node("ReduceMax", ["big"], ["one"], keepdims=1),
            node("Add", ["image", "one"], ["y"]),
        ],
        [integers("shape", [1, 1, 2_000_000, 1_000_000])],
        {"image": [1, 1, 64, 64]}, {"y": [1, 1, 64, 64]}, {},
    )  # fmt: skip
    with pytest.raises(ModelError, match="could not run"):
        opened(content, VALUES)


def test_numbers_that_are_no_probabilities(opened):
    """Logits are refused unless an activation is named."""
    content = image_model(channels=2, metadata=NAMED)
    source = make_image(30, 30, high=4000)
    with pytest.raises(ModelError, match="--activation softmax"):
        classes_of(opened(content), source)
    codes, sure = classes_of(opened(content, ForeignSettings(activation="sigmoid")), source)
    assert set(np.unique(codes[source.valid])) == {2}
    assert sure[source.valid].min() > 50


def test_what_is_not_a_number_is_nothing(opened):
    """NaN and infinity of a graph become invalid cells, not classes and not values."""
    content = model(
        [node("Log", ["image"], ["y"])], [], {"image": [1, 2, 64, 64]}, {"y": [1, 2, 64, 64]}, {}
    )
    source = make_image(30, 30, bands=2, high=2)
    source.data[:, 0, 0] = 0, 1
    found = values_of(opened(content, VALUES), source)
    assert np.isnan(found[0, 0, 0])
    assert found[1, 0, 0] == 0
    settings = ForeignSettings(1.0, classes=((None, "a"), (None, "b")), activation="sigmoid")
    root = model(
        [node("Sqrt", ["image"], ["y"])], [], {"image": [1, 2, 64, 64]}, {"y": [1, 2, 64, 64]}, {}
    )
    source.data[:, 0, 0] = -1, 1
    codes, _ = classes_of(opened(root, settings), source)
    assert codes[0, 0] == 0
    assert np.array_equal(codes > 0, source.valid & (source.data[0] >= 0))


def test_bytes_for_a_model_of_bytes(opened):
    """A graph of uint8 takes 0 to 255 as they are, and nothing beyond."""
    found = opened(image_model(kind=UINT8), ForeignSettings(values=True))
    with pytest.raises(ModelError, match="from 0 to 255"):
        values_of(found, make_image(30, 30, high=4000))
    source = make_image(30, 30, high=4000)
    given = values_of(opened(image_model(kind=UINT16), ForeignSettings(values=True)), source)
    assert np.allclose(given[0][source.valid], source.data.mean(axis=0)[source.valid], atol=1e-2)
    with pytest.raises(ModelError, match="whole numbers: leave --standardize out"):
        opened(image_model(kind=UINT8), ForeignSettings(values=True, standardize="tile"))


def test_a_shipped_model_needs_no_settings():
    """Its spec says all; settings are refused."""
    assert open_any("landforms-v1").spec.name == "landforms-v1"
    with pytest.raises(ModelError, match="says itself"):
        open_any("landforms-v1", ForeignSettings(scale=1.0))
    with pytest.raises(ModelError, match="There is no model landforms"):
        open_any("landforms")


@pytest.mark.parametrize(("fill", "given"), [("nearest", 5.0), ("mean", 3.0), ("zero", 0.0)])
def test_missing_cells_are_what_is_said(opened, fill, given):
    """The nearest cell, the mean that scaling takes off, or 0 in the raster; the spec names it."""
    settings = replace(VALUES, fill=fill, mean=(3.0,), std=(2.0,), tile_size=32)
    net = opened(image_model(bands=1, channels=1, side="s", radius=1), settings)
    block = np.full((1, 1, 32, 32), 5, np.float32)
    block[..., 16:] = np.nan
    found = net.run({"raster": block})[0][0, 0]
    assert found[8, 15] == pytest.approx(((2 * 5 + given) / 3 - 3) / 2, abs=1e-6)
    assert net.spec.parameters["fill"] == fill


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"fill": "mean"}, "has no mean that could be filled in"),
        ({"fill": "zero", "standardize": "tile", "scale": None}, "give --fill nearest"),
        ({"fill": "sand"}, "knows no fill 'sand'"),
    ],
)
def test_a_fill_that_cannot_be_is_refused(opened, settings, said):
    with pytest.raises(ModelError, match=said):
        opened(image_model(bands=1, side=32), replace(VALUES, **settings))
