"""Tiles on which a graph runs in little memory."""

import sys

import numpy as np
import pytest
from onnx import TensorProto, helper

from geotools.spec import ClassInfo, InputInfo, ModelSpec, OutputInfo
from geotools.training.export import tiles

CLASSES = (ClassInfo(1, "low", "#000000"), ClassInfo(2, "high", "#ffffff"))


def graph_of(width):
    """A graph that holds so many planes of the tile at once, and gives two."""
    sides = ["n", 1, "h", "w"]
    nodes = [
        helper.make_node("Concat", ["raster"] * width, ["wide"], axis=1),
        helper.make_node("ReduceMax", ["wide"], ["most"], axes=[1], keepdims=1),
        helper.make_node("Concat", ["most", "raster"], ["probabilities"], axis=1),
    ]
    given = [helper.make_tensor_value_info("raster", TensorProto.FLOAT, sides)]
    out = [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 2, "h", "w"])]
    graph = helper.make_graph(nodes, "wide", given, out)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def spec_of(*, tile=1024, halo=12, kind="raster"):
    return ModelSpec(
        name="wide", version="0", task="semantic-segmentation", description="Wide.",
        inputs=(InputInfo("raster", kind, ("elevation",), "m"),),
        outputs=(OutputInfo("probabilities", "probabilities", CLASSES),),
        cell_size_m=(1.0, 100.0), tile=tile, halo=halo, stride_multiple=8,
    )  # fmt: skip


SEEN = {"raster": np.arange(64, dtype=np.float32).reshape(1, 1, 8, 8)}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process holds")
@pytest.mark.parametrize(("width", "tile"), [(1, 1024), (24, 896), (80, 512)])
def test_a_graph_that_takes_more_gets_smaller_tiles(width, tile, monkeypatch):
    """A cell takes 4 bytes for every plane, and a little: allowed are 100 for 1024 cells."""
    monkeypatch.setattr(tiles, "_MOST_BYTES", 100 * 1024**2)
    assert tiles.fitting_tile(graph_of(width), spec_of(), SEEN) == tile


def test_what_sees_no_surroundings_keeps_its_tile():
    """Models of single cells are not run."""
    assert tiles.fitting_tile(graph_of(1), spec_of(kind="features"), SEEN) == 1024


def test_a_system_that_does_not_tell(monkeypatch):
    """The tile is that of the spec."""
    monkeypatch.setattr(tiles, "resident_bytes", lambda: None)
    assert tiles.fitting_tile(graph_of(40), spec_of(tile=700), SEEN) == 700


def test_tiles_are_cut_and_repeated():
    """To the side that is asked for, and no values but those that were seen."""
    for side in (4, 8, 27):
        made = tiles.of_side(SEEN, spec_of(), side)["raster"]
        assert made.shape == (1, 1, side, side)
        assert set(np.unique(made)) <= set(range(64))
