"""A feature that is the label is told of, whatever file it lies in."""

from __future__ import annotations

import numpy as np
import pytest
from split_cases import make_cells

from geotools.training.labels.cells import Cells
from geotools.training.labels.copies import told_by
from geotools.training.material import TableMaterial


def material(target: np.ndarray, *columns: np.ndarray) -> TableMaterial:
    n = len(target)
    zeros, nan = np.zeros(n, np.int32), np.full(n, np.nan)
    cells = Cells(zeros, np.arange(n, dtype=np.int32), zeros, target, zeros - 1, nan, nan, nan)
    rows = np.column_stack(columns).astype(np.float32)
    return TableMaterial(cells, rows, classes=(), features=[f"f{n}" for n in range(rows.shape[1])])


def test_a_copy_of_the_classes_is_found_by_any_codes() -> None:
    """Codes of its own, two of a class, one cell in two thousand wrong."""
    target = make_cells().target
    codes = np.array([4.0, -1.0, 2.5])[target]
    double = np.where((target == 1) & (np.arange(len(target)) % 2 == 0), 9, target)
    wrong = codes.copy()
    wrong[::2000] = 7
    noise = np.random.default_rng(0).normal(size=len(target)) + target * 50
    assert told_by(material(target, codes, noise, double, wrong)) == ["f0", "f2", "f3"]


def test_what_tells_much_is_no_copy() -> None:
    """A constant where one class is rare, a class that is not told, one cell in fifty wrong."""
    target = (np.arange(20_000) >= 19_990).astype(np.int16)
    assert told_by(material(target, np.zeros(20_000))) == []
    three = make_cells().target
    wrong = three.copy()
    wrong[::50] = (wrong[::50] + 1) % 3
    assert told_by(material(three, three == 1, wrong)) == []


@pytest.mark.parametrize(("noise", "found"), [(0.0, ["f0"]), (0.1, [])])
def test_values_that_are_those_to_learn_are_found_whatever_their_scale(
    noise: float, found: list[str]
) -> None:
    rng = np.random.default_rng(0)
    target = rng.normal(size=3000).astype(np.float32)
    feature = -3 * target + 200 + noise * rng.normal(size=3000)
    feature[:5] = np.nan
    assert told_by(material(target, feature, rng.normal(size=3000))) == found
