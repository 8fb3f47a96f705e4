"""Areas and accuracies of a sampled map against the worked example of the paper."""

from __future__ import annotations

import numpy as np
import pytest

from geotools.errors import RasterError
from geotools.evaluation.area import adjusted_areas, area_intervals, estimate_area

# Olofsson et al. (2014), sec. 5: deforestation, forest gain, stable forest and stable non-forest;
# cells of 30 m.
COUNTS = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
MAPPED = np.array([200_000, 150_000, 3_200_000, 6_450_000]) * 0.09


@pytest.fixture
def found():
    return estimate_area(COUNTS, MAPPED)


def test_areas_are_those_of_the_papers_example(found):
    """Hectares with 95 % intervals: 21,158 ± 6,158 of deforestation where 18,000 are mapped."""
    np.testing.assert_allclose(found.mapped, [18_000, 13_500, 288_000, 580_500])
    np.testing.assert_allclose(found.area, [21_158, 11_686, 285_770, 581_386], atol=0.5)
    half = [6_158, 3_756, 15_510, 16_282]
    np.testing.assert_allclose(1.96 * found.area_se, half, atol=0.5)
    np.testing.assert_allclose(found.interval[:, 1] - found.area, half, atol=0.5)
    assert found.area.sum() == pytest.approx(MAPPED.sum())


def test_accuracies_are_those_of_the_papers_example(found):
    assert found.overall == pytest.approx(0.95, abs=0.005)
    assert 1.96 * found.overall_se == pytest.approx(0.02, abs=0.005)
    np.testing.assert_allclose(found.users, [0.88, 0.73, 0.93, 0.96], atol=0.005)
    np.testing.assert_allclose(1.96 * found.users_se, [0.07, 0.10, 0.04, 0.02], atol=0.005)
    np.testing.assert_allclose(found.producers, [0.75, 0.85, 0.93, 0.96], atol=0.005)


def test_standard_errors_are_those_of_repeated_samples(found):
    """Samples drawn again and again from a map that is as the sample says scatter as much."""
    rng = np.random.default_rng(0)
    totals = COUNTS.sum(1)
    samples = np.stack(
        [rng.multinomial(n, row / n, 4000) for n, row in zip(totals, COUNTS, strict=True)], axis=1
    )
    every = [estimate_area(sample, MAPPED) for sample in samples]
    for name in ("area", "users", "producers", "overall"):
        spread = np.std([getattr(one, name) for one in every], axis=0)
        np.testing.assert_allclose(
            spread, getattr(found, f"{name}_se"), rtol=0.08
        )  # the formulas are of first order


def test_a_map_without_error_keeps_its_areas():
    found = estimate_area(np.diag([5, 9]), [30.0, 70.0])
    np.testing.assert_allclose(found.area, [30, 70])
    np.testing.assert_allclose([found.area_se, found.producers_se, found.users_se], 0)
    assert (found.overall, found.overall_se) == (1.0, 0.0)


def test_a_class_that_is_not_on_the_map_has_the_area_of_its_omissions():
    """Ten per cent of the first class are truly the third, which is mapped nowhere."""
    found = estimate_area([[9, 0, 1], [0, 10, 0], [0, 0, 0]], [50.0, 50.0, 0.0])
    np.testing.assert_allclose(found.area, [45, 50, 5])
    assert found.producers[2] == 0
    assert np.isnan(found.users[2])


def test_a_mapped_class_without_samples_makes_areas_unknown():
    found = estimate_area([[9, 1], [0, 0]], [50.0, 50.0])
    assert np.isnan([*found.area, found.overall]).all()
    one = estimate_area([[9, 1], [0, 1]], [50.0, 50.0])
    np.testing.assert_allclose(one.area, [45, 55])
    assert np.isnan(one.area_se).all()
    np.testing.assert_allclose(adjusted_areas([[9, 1], [0, 0]], [50.0, 50.0]), [45, 55])


def test_alike_cells_in_units_make_intervals_wider_than_the_formula():
    """Each sampled cell stands for a block of 50 alike cells, which the formula takes as news."""
    rng = np.random.default_rng(0)
    pairs = rng.choice(4, 200, p=[0.6, 0.1, 0.1, 0.2])
    units = np.eye(4)[pairs].reshape(200, 2, 2) * 50
    low, high = area_intervals(units, [70.0, 30.0])[0]
    naive = estimate_area(units.sum(0), [70.0, 30.0])
    honest = estimate_area(units.sum(0) / 50, [70.0, 30.0])
    assert high - low == pytest.approx(2 * 1.96 * honest.area_se[0], rel=0.1)
    assert high - low > 6 * 1.96 * naive.area_se[0]
    assert np.isnan(area_intervals(units[:1], [70.0, 30.0])).all()


def test_wrong_input_is_refused():
    with pytest.raises(RasterError, match="square"):
        estimate_area([[1, 2]], [1.0, 2.0])
    with pytest.raises(RasterError, match="0 or more"):
        estimate_area([[1, -2], [0, 1]], [1.0, 2.0])
    with pytest.raises(RasterError, match="above 0"):
        estimate_area([[1, 2], [0, 1]], [0.0, 0.0])
