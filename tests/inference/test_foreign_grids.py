"""geotools.inference.foreign: maps with other cells than the raster, and what is measured."""

import numpy as np
import pytest
from conftest import make_grid
from foreign_maps import mapped
from onnx_bytes import grid_model, image_model, model, node

from geotools.errors import ModelError
from geotools.inference.foreign import ForeignSettings
from geotools.inference.opening import open_any
from geotools.raster import Raster

VALUES = ForeignSettings(scale=1.0, values=True)
ALL = [1, 3, 64, 64]


@pytest.fixture
def opened(tmp_path):
    def open_(content, settings=VALUES):
        path = tmp_path / "model.onnx"
        path.write_bytes(content)
        return open_any(path, settings)

    return open_


def make_image(rows, cols, bands=3):
    data = np.random.default_rng(rows).random((bands, rows, cols), np.float32)
    grid = make_grid(cols, rows, cell=0.1, left=500_000.7, top=4_999_999.1)
    return Raster(data, np.ones((rows, cols), bool), grid, tuple(f"b{n}" for n in range(bands)))


SHAPES = [(20, 37), (64, 64), (150, 131)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("factor", [2, 3])
@pytest.mark.parametrize("radius", [0, 2])
def test_a_finer_map_lies_on_its_raster(opened, shape, factor, radius):
    """Every cell becomes factor x factor, in its place, also where the graph cuts a border off."""
    found = opened(grid_model("finer", factor=factor, radius=radius))
    assert (found.finer, found.coarser, found.channels) == (factor, 1, 3)
    assert found.spec.task == "super-resolution"
    assert found.spec.parameters["seams"] == "exact"
    assert any(f"{factor} x {factor} cells for each" in note for note in found.notes)
    source = make_image(*shape)
    if radius:
        rows, cols = np.mgrid[: shape[0], : shape[1]]
        source.data[:] = 2 * rows - 3 * cols  # a plane, whose mean around a cell is the cell
    expected = source.data.repeat(factor, axis=1).repeat(factor, axis=2)
    fine = mapped(found, source)
    beside = slice(radius * factor, -radius * factor or None)
    inner = np.s_[:, beside, beside]
    assert np.allclose(fine[inner], expected[inner], atol=1e-3)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("factor", [2, 4, 16])
def test_a_coarser_map_is_made_of_whole_cells(opened, shape, factor):
    """Output cells are counted from the raster's first cell; the last may be partly beyond."""
    found = opened(grid_model("coarser", factor=factor))
    assert (found.finer, found.coarser) == (1, factor)
    assert found.spec.halo % factor == 0
    source = make_image(*shape)
    coarse = mapped(found, source)
    padded = np.pad(source.data, [(0, 0), *((0, -size % factor) for size in shape)], mode="edge")
    rows, cols = (size // factor for size in padded.shape[1:])
    means = padded.reshape(3, rows, factor, cols, factor).mean(axis=(2, 4))
    assert np.allclose(coarse, means, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_vector_for_a_tile_is_a_cell(opened, shape):
    """One cell a tile from the raster's first cell on, a band for each number."""
    found = opened(grid_model("tile"))
    assert (found.finer, found.coarser, found.channels, found.spec.halo) == (1, 64, 3, 0)
    assert found.spec.task == "similarity-search"
    assert found.spec.parameters["seams"] == "tiles side by side"
    assert "one cell a tile, counted from the first cell" in found.notes[0]
    source = make_image(*shape)
    padded = np.pad(source.data, [(0, 0), *((0, -size % 64) for size in shape)], mode="edge")
    rows, cols = (size // 64 for size in padded.shape[1:])
    means = padded.reshape(3, rows, 64, cols, 64).mean(axis=(2, 4))
    assert np.allclose(mapped(found, source), means, atol=1e-5)


def test_a_vector_of_classes_is_a_class_for_a_tile(opened):
    """Scene classification: the classes are named, the graph gives their scores."""
    names = ((None, "water"), (None, "forest"), (None, "town"))
    settings = ForeignSettings(1.0, classes=names, activation="softmax")
    found = opened(grid_model("tile"), settings)
    assert found.spec.task == "scene-classification"
    source = make_image(64, 128)
    source.data[1, :, :64] += 3
    source.data[2, :, 64:] += 3
    index, _ = found.decide(mapped(found, source))
    assert index.tolist() == [[1, 2]]


def test_a_border_is_cut_where_it_is_seen(opened):
    """Valid convolutions lose a border all around, a crop in a corner is found in its corner."""
    centred = opened(image_model(radius=3, padded=False))
    assert centred.spec.parameters["crop"] == "3 3"
    corner = opened(grid_model("corner", radius=3))
    assert corner.spec.parameters["crop"] == "6 6"
    assert corner.spec.halo >= 6
    source = make_image(100, 90)
    assert np.array_equal(mapped(corner, source), source.data)
    assert not corner.notes


def test_what_cannot_be_seen_is_taken_for_the_middle(opened):
    """A map that no cell changes alone is placed in the middle, and the note says so."""
    content = model(
        [
            node("GlobalAveragePool", ["image"], ["mean"]),
            node("AveragePool", ["image"], ["pooled"], kernel_shape=[5, 5]),
            node("Sub", ["pooled", "pooled"], ["zero"]),
            node("Add", ["zero", "mean"], ["out"]),
        ],
        [], {"image": ALL}, {"out": [1, 3, 60, 60]}, {},
    )  # fmt: skip
    found = opened(content)
    assert found.spec.parameters["crop"] == "2 2"
    assert "could not be measured" in found.notes[0]
    assert "(GlobalAveragePool)" in found.notes[1]


SEAMS = {
    "no surroundings": (image_model(), VALUES, "exact"),
    "a margin of the reach": (image_model(radius=5), VALUES, "exact"),
    "a margin below the reach": (image_model(radius=6), VALUES, "centre crop of 5 cells"),
    "no margin": (
        image_model(radius=1), ForeignSettings(1.0, values=True, overlap_percent=0),
        "tiles side by side",
    ),
    "valid convolutions without a margin": (
        image_model(radius=6, padded=False), ForeignSettings(1.0, values=True, overlap_percent=0),
        "exact",
    ),
    "a coarser map": (grid_model("coarser", factor=4), VALUES, "exact"),
    "tiles by themselves": (
        image_model(), ForeignSettings(values=True, standardize="tile"), "centre crop of 5 cells",
    ),
    "instance norm": (
        model(
            [
                node("GlobalMaxPool", ["image"], ["most"]),
                node("Sub", ["image", "most"], ["out"]),
            ],
            [], {"image": ALL}, {"out": ALL}, {},
        ),
        VALUES, "centre crop of 5 cells",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SEAMS)
def test_how_tiles_meet_is_said(opened, name):
    """Exact where two blocks that are cut a step apart agree on noise; else what is done."""
    content, settings, word = SEAMS[name]
    assert opened(content, settings).spec.parameters["seams"] == word


def test_a_tile_standardised_by_itself(opened):
    """Mean 0 and deviation 1 of its valid cells, with a note of the seams; scaling is refused."""
    found = opened(image_model(bands=1), ForeignSettings(values=True, standardize="tile"))
    block = make_image(64, 64, bands=1).data * 400 + 7
    block[:, :9] = np.nan
    given = found.run({"raster": block[None]})[0][0, 0, 9:]
    assert abs(given.mean()) < 1e-5
    assert abs(given.std() - 1) < 1e-5
    assert "seams may show" in found.notes[0]
    for more in ({"scale": 2.0}, {"mean": (1.0,), "std": (2.0,)}):
        with pytest.raises(ModelError, match="--scale, --mean and --std out"):
            opened(image_model(), ForeignSettings(values=True, standardize="tile", **more))


def test_numbers_of_classes_are_classes(opened):
    """A graph with its ArgMax inside gives classes, by --classes, or values."""
    names = ((5, "low"), (9, "high"))
    content = grid_model("labels")
    source = make_image(64, 64)
    source.data[0] = np.where(source.data[1] > 0.5, 1.2, 0.3)
    found = opened(content, ForeignSettings(1.0, classes=names))
    index, sure = found.decide(found.run({"raster": source.data[None]})[0][0])
    assert np.array_equal(index, source.data[1] > 0.5)
    assert (sure == 1).all()
    assert "without probabilities" in found.notes[0]
    values = opened(content).run({"raster": source.data[None]})[0][0, 0]
    assert np.array_equal(values, index)
    with pytest.raises(ModelError, match="gives the classes 0 to 1, and 1 are named"):
        opened(content, ForeignSettings(1.0, classes=((1, "low"),))).run(
            {"raster": source.data[None]}
        )
