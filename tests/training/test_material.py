"""Labelled cells and the features at and around them."""

import numpy as np
import pytest
from conftest import make_grid

from geotools.errors import LabelsError
from geotools.grid import Window
from geotools.raster import Raster
from geotools.training.cellmap import CellMap
from geotools.training.labels.cells import Cells
from geotools.training.material import PermutedMaterial, raster_material


def make_cells(rows, cols, *, scene=None, target=None):
    """Cells at these places; what is not told is plain."""
    n = len(rows)
    return Cells(
        scene=np.zeros(n, np.int32) if scene is None else np.asarray(scene, np.int32),
        row=np.asarray(rows, np.int32),
        col=np.asarray(cols, np.int32),
        target=np.zeros(n, np.int16) if target is None else np.asarray(target, np.int16),
        group=np.full(n, -1, np.int32),
        x=np.zeros(n),
        y=np.zeros(n),
        time=np.full(n, np.nan),
    )


def make_stack(rows=700, cols=600):
    """Two features: the row and the column of each cell."""
    grid = make_grid(cols, rows)
    data = np.stack(np.mgrid[:rows, :cols]).astype(np.float32)
    return Raster(data, np.ones((rows, cols), bool), grid, ("row", "col"))


def test_a_window_shows_the_cells_in_it_and_no_others():
    rng = np.random.default_rng(0)
    grids = [make_grid(40, 30), make_grid(25, 50)]
    places = [
        (s, r, c) for s, g in enumerate(grids) for r in range(g.height) for c in range(g.width)
    ]
    chosen = [places[i] for i in rng.permutation(len(places))[:600]]
    scene, row, col = (np.array(part) for part in zip(*chosen, strict=True))
    cells = make_cells(row, col, scene=scene)
    index = np.flatnonzero(rng.random(len(cells)) < 0.5)
    finder = CellMap(cells, index, grids)
    for s, window in (
        (0, Window(-3, -5, 40, 60)),
        (1, Window(10, 3, 17, 9)),
        (1, Window(60, 0, 4, 4)),
    ):
        expected = np.full(window.shape, -1)
        for number in index:
            r, c = row[number] - window.row_off, col[number] - window.col_off
            if scene[number] == s and 0 <= r < window.height and 0 <= c < window.width:
                expected[r, c] = number
        np.testing.assert_array_equal(finder.read(s, window), expected)


def test_rows_hold_the_features_of_their_cells():
    stack = make_stack()
    rng = np.random.default_rng(1)
    rows, cols = rng.integers(0, 700, 400), rng.integers(0, 600, 400)
    material = raster_material([stack], make_cells(rows, cols), classes=["a"])
    values = material.rows(np.arange(400))
    np.testing.assert_array_equal(values, np.stack([rows, cols], 1))


def test_cells_with_invalid_inputs_are_left_out():
    stack = make_stack()
    stack.valid[:350] = False
    cells = make_cells([10, 349, 350, 699], [0, 1, 2, 3])
    material = raster_material([stack], cells, classes=["a"])
    assert material.cells.row.tolist() == [350, 699]
    assert material.tile(0, Window(0, 349, 1, 2)).valid.tolist() == [[False], [True]]
    with pytest.raises(LabelsError, match="valid values"):
        raster_material([stack], cells.take(np.array([0, 1])), classes=["a"])


def test_a_permuted_feature_keeps_its_values_and_the_others_stay():
    stack = make_stack(60, 50)
    rows, cols = (part.ravel() for part in np.mgrid[:60, :50])
    material = raster_material([stack], make_cells(rows, cols), classes=["a"])
    shuffled = PermutedMaterial(material, 1, seed=0)
    index = np.arange(3000)
    before, after = material.rows(index), shuffled.rows(index)
    np.testing.assert_array_equal(after[:, 0], before[:, 0])
    np.testing.assert_array_equal(np.sort(after[:, 1]), np.sort(before[:, 1]))
    assert np.mean(after[:, 1] == before[:, 1]) < 0.1
    tile = shuffled.tile(0, Window(-2, 0, 20, 10))
    assert np.isnan(tile.data[1, :, :2]).all()
    np.testing.assert_array_equal(
        np.sort(tile.data[1, :, 2:].ravel()), np.sort(np.tile(np.arange(18), 10))
    )
