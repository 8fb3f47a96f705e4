"""geotools.inference.ensemble: the mean of several models."""

import dataclasses
import hashlib

import numpy as np
import pytest
from conftest import make_raster, make_terrain
from onnx_bytes import neighbourhood_model, row_model

from geotools.errors import ModelError
from geotools.inference.augmented import augmented
from geotools.inference.ensemble import ensemble
from geotools.inference.model import Model, shipped_model
from geotools.inference.predict import predict
from geotools.spec import ClassInfo, InputInfo, OutputInfo, SourceInfo


class Memory:
    """A sink in memory."""

    def __init__(self, grid, bands=1, dtype=np.float32):
        self.data = np.zeros((bands, *grid.shape), dtype)

    def write(self, data, window):
        self.data[:, *window.slices()] = data


def net(radius: int, **changes) -> Model:
    """A net of two classes that sees `radius` cells far, with changes of its spec."""
    found = Model(f"net{radius}.onnx", neighbourhood_model(radius))
    found.spec = dataclasses.replace(found.spec, **changes)
    return found


def probabilities(predictor, source, **options):
    sink = Memory(source.grid, 2)
    predict(predictor, source, Memory(source.grid, 1, np.uint8), probabilities=sink, **options)
    return sink.data


def test_probabilities_are_averaged():
    """The mean of two, and with weights three quarters of the one."""
    source = make_raster(make_terrain(60, 80))
    one, two = (probabilities(net(radius), source) for radius in (1, 4))
    mean = probabilities(ensemble([net(1), net(4)]), source)
    assert np.allclose(mean, (one + two) / 2, atol=1e-6)
    heavy = probabilities(ensemble([net(1), net(4)], [3, 1]), source)
    assert np.allclose(heavy, 0.75 * one + 0.25 * two, atol=1e-6)
    assert not np.allclose(one, two, atol=1e-3)


def test_a_model_twice_is_the_model():
    """To the last bit."""
    source = make_raster(make_terrain(50, 50))
    assert np.array_equal(
        probabilities(ensemble([net(2), net(2)]), source), probabilities(net(2), source)
    )


def test_rows_are_averaged_too():
    """Models of single cells make an ensemble."""
    rows = Model("rows.onnx", row_model())
    given = {"features": np.random.default_rng(0).normal(0, 1, (64, 2)).astype(np.float32)}
    assert np.array_equal(ensemble([rows, rows]).run(given)[0], rows.run(given)[0])


def test_what_an_ensemble_says_of_itself():
    """Largest halo, common multiple of strides, common cell sizes, hash of the list, members."""
    one = net(1, stride_multiple=4, tile=512, cell_size_m=(5.0, 50.0), licence="CC-BY-4.0")
    two = net(6, stride_multiple=6, tile=256, cell_size_m=(10.0, 90.0), licence="CC0-1.0")
    both = ensemble([one, two], [1, 3])
    spec = both.spec
    assert (spec.halo, spec.stride_multiple, spec.tile) == (6, 12, 256)
    assert spec.cell_size_m == (10.0, 50.0)
    assert spec.licence == "CC-BY-4.0 AND CC0-1.0"
    alike = ensemble([one, two])
    assert alike.sha256 == hashlib.sha256(f"{one.sha256}\n{two.sha256}".encode()).hexdigest()
    assert len({alike.sha256, both.sha256, ensemble([one, two], [1, 2]).sha256}) == 3
    assert both.file == "net1.onnx + net6.onnx"
    assert f"neighbourhood {two.sha256[:12]}" in spec.parameters["ensemble"]
    assert spec.parameters["weights"] == "0.25 0.75"
    assert "weights" not in alike.spec.parameters


def test_ranges_are_those_that_any_has_learned():
    """What one of them has seen is not far for the mean; other words in a file do no harm."""
    one = net(1, training={"ranges": {"a": [0.0, 2.0], "b": "none", "c": [None, 1]}})
    two = net(2, training={"ranges": {"a": [-1.0, 1.0]}})
    assert ensemble([one, two]).spec.training["ranges"] == {"a": [-1.0, 2.0]}


@pytest.mark.parametrize("tile", [64, 100])
def test_tiles_do_not_change_the_mean(tile):
    """The largest halo serves all, seen from all sides too."""
    source = make_raster(make_terrain(150, 170))
    both = augmented(ensemble([net(1), net(5, stride_multiple=4)]), source.grid)
    whole = probabilities(both, source, tile=4096)
    assert np.array_equal(probabilities(both, source, tile=tile, threads=2), whole)


SOURCE = SourceInfo("s2", ("red",), (1,), 1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"outputs": (OutputInfo("p", "probabilities", (ClassInfo(3, "low", "#0000ff"),
                                                           ClassInfo(8, "high", "#ff0000"))),)},
            r"their classes differ \(3 low, 7 high against 3 low, 8 high\)",
        ),
        (
            {"outputs": (OutputInfo("p", "probabilities", (ClassInfo(3, "low", "#0000ff"),
                                                           ClassInfo(7, "top", "#ff0000"))),)},
            "their classes differ",
        ),
        ({"outputs": (OutputInfo("p", "values", (), "m"),)}, "their outputs differ"),
        (
            {"inputs": (InputInfo("elevation", "raster", ("b1",), "m"),)},
            "their inputs differ .elevation, raster of b0 in m against",
        ),
        ({"sources": (SOURCE,)}, "their sources differ .one raster against s2"),
        ({"features": ("s2",)}, "their features differ .none against s2"),
        ({"cell_size_m": (200.0, 300.0)}, "no cell size suits all"),
        ({"parameters": {"threshold": 0.7}}, "their thresholds differ .none against 0.7"),
    ],
)  # fmt: skip
def test_models_that_differ_are_refused(changes, words):
    """In one sentence that names both files and what differs."""
    with pytest.raises(ModelError, match=words) as found:
        ensemble([net(1), net(2, **changes)])
    assert "net1.onnx and net2.onnx" in str(found.value)
    assert str(found.value).count(". ") == 0


def test_colours_and_names_of_models_may_differ():
    """A legend is the first one's."""
    colours = (ClassInfo(3, "low", "#00ffff"), ClassInfo(7, "high", "#ffff00"))
    other = net(2, name="other", outputs=(OutputInfo("p", "probabilities", colours),))
    both = ensemble([net(1), other])
    assert both.spec.classes == net(1).spec.classes
    assert both.spec.name == "neighbourhood + other"


@pytest.mark.parametrize("weights", [[1], [1, 0], [1, -1], [1, float("nan")], []])
def test_weights_are_one_number_above_zero_for_each(weights):
    """Others are refused."""
    with pytest.raises(ModelError, match="2 models have the weights"):
        ensemble([net(1), net(2)], weights)


def test_no_models_and_models_of_rates():
    """Neither has a mean."""
    with pytest.raises(ModelError, match="no models"):
        ensemble([])
    with pytest.raises(ModelError, match="gives rates"):
        ensemble([shipped_model("seismicity-global-v1")])
