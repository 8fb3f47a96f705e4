"""Burner: which shape each cell belongs to, the same for every window."""

from __future__ import annotations

import numpy as np
import shapely
from conftest import make_grid

from geotools.grid import Window
from geotools.io.burning import Burner, in_cells


def _discs(count: int, size: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    places = shapely.points(rng.uniform(0, size, (count, 2)))
    return np.asarray(shapely.buffer(places, rng.uniform(1, size / 5, count)))


def test_a_cell_belongs_to_the_last_shape_that_holds_its_centre() -> None:
    shapes = _discs(12, 80)
    burnt = Burner(shapes).read(Window(0, 0, 80, 80))
    row, col = np.mgrid[:80, :80] + 0.5
    expected = np.full((80, 80), -1)
    for number, shape in enumerate(shapes):
        expected[shapely.contains_xy(shape, col, row)] = number
    assert np.array_equal(burnt, expected)


def test_windows_have_the_cells_of_the_whole_also_where_shapes_are_cut() -> None:
    wavy = shapely.Point(150, 150).buffer(140, quad_segs=1500)  # more corners than are burnt whole
    shapes = np.append(_discs(20, 300), wavy)
    for all_touched in (False, True):
        burner = Burner(shapes[::-1], all_touched=all_touched)
        whole = burner.read(Window(0, 0, 300, 300))
        for window in (Window(0, 0, 64, 64), Window(131, 7, 90, 201), Window(290, 250, 40, 60)):
            part = burner.read(window)
            inside = window.intersection(Window(0, 0, 300, 300))
            assert inside is not None
            rows, cols = inside.slices(window)
            assert np.array_equal(part[rows, cols], whole[inside.slices()])


def test_a_window_without_shapes_is_empty_and_known_to_be() -> None:
    burner = Burner(np.array([shapely.box(10, 10, 12, 12)], dtype=object))
    assert len(burner.touching(Window(500, 500, 1024, 1024))) == 0
    assert (burner.read(Window(500, 500, 8, 8)) == -1).all()
    assert len(burner.touching(Window(0, 0, 1024, 1024))) == 1


def test_lines_are_burnt_where_they_run() -> None:
    burner = Burner(np.array([shapely.LineString([(2.5, 0), (2.5, 9)])], dtype=object))
    burnt = burner.read(Window(0, 0, 5, 9))
    assert (burnt[:, 2] == 0).all()
    assert (np.delete(burnt, 2, axis=1) == -1).all()


def test_shapes_in_cells_are_their_places_in_the_grid() -> None:
    grid = make_grid(60, 40)
    left, bottom, right, top = grid.bounds
    shapes = in_cells(np.array([shapely.box(left, bottom, right, top)], dtype=object), grid)
    assert np.allclose(shapely.bounds(shapes[0]), [0, 0, 60, 40])
