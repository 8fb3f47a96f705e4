"""Which cells are learned from, and in which windows they are read."""

from __future__ import annotations

import numpy as np
import pytest
from net_materials import make_scene, make_table

from geotools.training.augment import Augmenter
from geotools.training.learners.batches import RowFeed, draw_cells
from geotools.training.learners.scenes import Scenes, pieces
from geotools.training.learners.tiles import TileFeed, WindowFeed
from geotools.training.sections import AugmentConfig

STILL = AugmentConfig(rotate=False, flip=False, shift=0, shear=0, zoom=0, noise=0)


def still(material) -> Augmenter:
    return Augmenter(material.features, (), STILL, scale=np.ones(len(material.features)))


def test_rare_classes_stay_when_cells_are_drawn():
    target = np.repeat([0, 1, 2], [9000, 980, 20])
    index = np.arange(10_000) + 5
    chosen = draw_cells(index, target, 1000, np.random.default_rng(0))
    counts = np.bincount(target[chosen - 5])
    np.testing.assert_array_equal(counts, [900, 98, 20])
    assert (np.diff(chosen) > 0).all()
    assert draw_cells(index, target, 20_000, np.random.default_rng(0)) is index


def test_an_epoch_of_rows_has_every_cell_once():
    material = make_table(333)
    targets = np.arange(333)
    feed = RowFeed(
        material, np.arange(0, 333, 2), targets,
        dates=1, batch=64, max_cells=1000, rng=np.random.default_rng(0),
    )  # fmt: skip
    batches = list(feed.draw(np.random.default_rng(1)))
    assert len(batches) == feed.steps
    seen = np.concatenate([batch.target for batch in batches])
    np.testing.assert_array_equal(np.sort(seen), np.arange(0, 333, 2))
    batch = batches[0]
    np.testing.assert_array_equal(batch.inputs[0], material.rows(batch.target))


def test_tiles_hold_the_features_and_the_training_labels_of_their_place():
    """Without variation a tile is a piece of the scene; what is not training has no label."""
    material = make_scene()
    cells = material.cells
    train = np.flatnonzero(cells.col < 40)
    targets = np.arange(len(cells))  # each cell its own
    feed = TileFeed(material, train, targets, still(material), size=16, batch=3, halo=8, multiple=2)
    whole = Scenes(material).read(0, material.grids[0].window)
    seen = set()
    for batch in feed.draw(np.random.default_rng(0)):
        assert batch.inputs[0].shape == (3, 2, 16, 16)
        n, row, col = np.nonzero(batch.known)
        cell = batch.target[n, row, col]
        assert np.isin(cell, train).all()
        here = batch.inputs[0][n, :, row, col]
        np.testing.assert_array_equal(here, whole[:, cells.row[cell], cells.col[cell]].T)
        seen.update(cell.tolist())
    assert len(seen) > 0.9 * len(train)


def test_rare_classes_have_tiles():
    """Three cells of a class are in the middle of some tile of every epoch."""
    material = make_scene()
    targets = np.zeros(len(material.cells), np.int64)
    targets[[100, 101, 102]] = 1
    feed = TileFeed(
        material, np.arange(len(targets)), targets, still(material),
        size=16, batch=4, halo=8, multiple=2,
    )  # fmt: skip
    for seed in range(3):
        batches = list(feed.draw(np.random.default_rng(seed)))
        assert any((batch.target[batch.known] == 1).any() for batch in batches)


def test_windows_have_their_cell_in_the_middle():
    material = make_scene()
    cells = material.cells
    targets = np.arange(len(cells), dtype=np.float64)  # each its own
    turned = Augmenter(
        material.features, (), AugmentConfig(shift=0, noise=0), scale=np.ones(2, np.float32)
    )
    feed = WindowFeed(
        material, np.arange(len(cells)), targets, turned,
        size=9, batch=32, max_cells=200, rng=np.random.default_rng(0),
    )  # fmt: skip
    for batch in feed.draw(np.random.default_rng(0)):
        middle = batch.inputs[0][:, :, 4, 4]
        np.testing.assert_allclose(middle, material.rows(batch.target.astype(int)), rtol=1e-5)


@pytest.mark.parametrize(("halo", "multiple"), [(0, 1), (8, 4), (24, 8)])
def test_every_cell_is_read_once_with_its_halo_from_a_multiple_on(halo, multiple):
    material = make_scene(rows=280, cols=300)
    cells, grids = material.cells, material.grids
    index = np.random.default_rng(0).choice(len(cells), 500, replace=False)
    col_phase, row_phase = grids[0].phase(multiple)
    places = []
    for _, window, place in pieces(cells, index, grids, halo=halo, multiple=multiple):
        assert (window.col_off - col_phase) % multiple == 0
        assert (window.row_off - row_phase) % multiple == 0
        assert window.width % multiple == window.height % multiple == 0
        row, col = cells.row[index[place]], cells.col[index[place]]
        assert (row - halo >= window.row_off).all()
        assert (row + halo < window.row_stop).all()
        assert (col - halo >= window.col_off).all()
        assert (col + halo < window.col_stop).all()
        places.append(place)
    np.testing.assert_array_equal(np.sort(np.concatenate(places)), np.arange(500))


def test_scenes_held_and_not_held_read_the_same():
    """Beyond the grid and where invalid, all is NaN."""
    material = make_scene()
    window = material.grids[0].window
    for part in (window, type(window)(-5, -7, 30, 40), type(window)(200, 0, 4, 4)):
        held = Scenes(material).read(0, part)
        np.testing.assert_array_equal(held, Scenes(material, keep=False).read(0, part))
        assert held.shape == (2, *part.shape)
    assert np.isnan(held).all()
