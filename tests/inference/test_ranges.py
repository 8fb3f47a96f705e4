"""geotools.inference.ranges: values far from what a model has learned are told of."""

import numpy as np
import pytest
from conftest import make_grid
from onnx_bytes import row_model

from geotools.inference.model import Model
from geotools.inference.ranges import check_ranges
from geotools.raster import Raster

RNG = np.random.default_rng(0)
RED, HEIGHT = RNG.uniform(0, 0.6, (90, 700)), RNG.uniform(800, 2500, (90, 700))
RANGES = {"a": [0.01, 0.6], "b": [800.0, 2500.0]}


def told(a, b, ranges=RANGES, valid=None):
    """The sentences about a raster of the features a and b."""
    spec = Model("m.onnx", row_model(training={"ranges": ranges})).spec
    data = np.stack([a, b]).astype(np.float32)
    valid = np.ones(a.shape, bool) if valid is None else valid
    said = []
    check_ranges(spec, Raster(data, valid, make_grid(700, 90), ("a", "b")), said.append)
    return said


def test_scaled_values_are_told_of():
    """Reflectance times 10,000; the sentence names the feature, its values and what was learned."""
    (sentence,) = told(RED * 10_000 * 0 + 3200, HEIGHT)
    assert sentence == (
        "Feature a has values of about 3200, the model learned 0.01 to 0.6: check units and the "
        "order of the rasters."
    )


def test_swapped_rasters_are_told_of_once():
    """Both features, in one sentence."""
    (sentence,) = told(HEIGHT, RED)
    assert sentence.startswith("Feature a has values of about 16")
    assert "(likewise b)" not in sentence  # 0 to 0.6 is within one range below 800
    (sentence,) = told(HEIGHT, RED - 5000)
    assert "(likewise b)" in sentence


def test_what_was_learned_and_its_surroundings_are_silent():
    """A range farther on either side, and fewer than half of the cells beyond it."""
    assert told(RED, HEIGHT) == []
    assert told(RED + 0.55, HEIGHT - 1600) == []
    assert told(np.where(RED < 0.28, RED, 99), HEIGHT, {"a": [0.01, 0.9]}) != []
    assert told(np.where(RED < 0.35, RED, 99), HEIGHT) == []


def test_cells_that_are_invalid_or_undefined_do_not_count():
    """Nor rasters without any valid cell."""
    valid = np.zeros(RED.shape, bool)
    assert told(RED + 99, HEIGHT, valid=valid) == []
    assert told(RED + np.nan, HEIGHT) == []
    valid[:, :400] = True
    assert told(np.where(valid, RED, 99), HEIGHT, valid=valid) == []


@pytest.mark.parametrize(
    "ranges", [None, [], {"a": 1}, {"a": [1]}, {"a": ["x", "y"]}, {"a": [5, 5]}, {"c": [0, 1]}]
)
def test_files_without_ranges_are_silent(ranges):
    """Nor is a feature judged that was the same everywhere."""
    assert told(RED + 99, HEIGHT, ranges) == []


def test_codes_that_were_not_learned_are_told_of():
    """With their share; whatever else the file holds under that name is silent."""

    def said(codes):
        spec = Model("m.onnx", row_model(parameters={"codes": codes})).spec
        data = np.stack([np.full((90, 700), 7), HEIGHT]).astype(np.float32)
        data[0, :, 350:] = 2
        found = []
        grid = make_grid(700, 90)
        check_ranges(spec, Raster(data, np.ones((90, 700), bool), grid, ("a", "b")), found.append)
        return found

    (sentence,) = said({"a": [1, 2]})
    assert sentence.startswith(
        "Feature a has codes that the model has not learned (7) in 50.0% of the cells looked at"
    )
    assert said({"a": [2, 7]}) == said({"a": "2"}) == said([1]) == said({"a": ["x"]}) == []
