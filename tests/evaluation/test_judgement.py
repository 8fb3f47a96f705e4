"""All figures of a prediction at once, against each by itself."""

import numpy as np
import pytest

from geotools.errors import ConfigError, RasterError
from geotools.evaluation.judgement import judge, judge_areas
from geotools.evaluation.metrics import all_scores, difference_interval, score_with_interval
from geotools.evaluation.resampling import percentiles
from geotools.spec import ClassInfo

CLASSES = tuple(ClassInfo(n + 1, name, "#336699") for n, name in enumerate(("rock", "soil", "ice")))


def sample(cells: int = 600) -> tuple[np.ndarray, ...]:
    """True and predicted classes, another prediction, and units."""
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 3, cells)
    predicted = np.where(rng.random(cells) < 0.8, truth, rng.integers(0, 3, cells))
    other = np.where(rng.random(cells) < 0.5, truth, rng.integers(0, 3, cells))
    return truth, predicted, other, np.arange(cells) // 20


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "iou"])
def test_figures_are_those_of_the_metrics(metric):
    truth, predicted, other, unit = sample()
    found = judge(
        metric, truth, predicted, unit,
        baselines={"other": other}, classes=CLASSES, background=0, seed=3,
    )  # fmt: skip
    given = {"classes": 3, "background": 0, "seed": 3}
    assert found.score == score_with_interval(metric, truth, predicted, unit, **given)
    assert found.baselines["other"] == score_with_interval(metric, truth, other, unit, **given)
    assert found.differences["other"] == difference_interval(
        metric, truth, predicted, other, unit, **given
    )
    assert found.other == all_scores("classification", truth, predicted, unit, **given)
    assert found.residuals is None


def test_the_confusion_has_the_truth_in_rows():
    truth, predicted, _, unit = sample()
    found = judge("accuracy", truth, predicted, unit, classes=CLASSES)
    for row in range(3):
        for col in range(3):
            cells = int(((truth == row) & (predicted == col)).sum())
            assert found.confusion[row, col] == cells
    assert found.score.value == found.confusion.trace() / len(truth)
    assert [row.info.name for row in found.per_class] == ["rock", "soil", "ice"]
    recall = found.confusion[1, 1] / found.confusion[1].sum()
    assert found.per_class[1].recall.value == pytest.approx(recall)


def test_values_have_residuals_and_no_confusion():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=300)
    predicted, unit = truth + rng.normal(0.5, 0.1, 300), np.arange(300) // 10
    found = judge("rmse", truth, predicted, unit, baselines={"mean": np.zeros(300)})
    assert found.score.value == pytest.approx(np.sqrt(np.mean((predicted - truth) ** 2)))
    assert found.confusion is None
    assert found.per_class == ()
    assert found.residuals.bias == pytest.approx(0.5, abs=0.03)
    assert found.differences["mean"].value < 0


def test_a_perfect_map_needs_no_correction():
    """Adjusted areas are those of the map, without an error."""
    truth, _, _, unit = sample()
    mapped = np.array([4e6, 1e6, 2e6])
    found = judge_areas(truth, truth, unit, mapped)
    np.testing.assert_allclose(found.estimate.area, mapped / 1e6)
    np.testing.assert_allclose(found.estimate.area_se, 0, atol=1e-12)
    assert found.unit == "km²"


def test_a_map_that_takes_half_too_much_is_corrected():
    """Of what it calls rock half is soil: half of the area goes over."""
    truth, predicted = np.tile([0, 1, 1, 1], 100), np.tile([0, 0, 1, 1], 100)
    found = judge_areas(truth, predicted, np.arange(400) // 20, np.array([2e6, 2e6]))
    np.testing.assert_allclose(found.estimate.area, [1.0, 3.0])


def test_what_does_not_fit_is_refused():
    truth, predicted, _, unit = sample()
    with pytest.raises(ConfigError, match="f1"):
        judge("f1", truth, predicted, unit, classes=CLASSES)
    with pytest.raises(RasterError):
        judge("accuracy", truth, predicted[:-1], unit, classes=CLASSES)
    with pytest.raises(RasterError):
        judge("accuracy", truth, predicted + 1, unit, classes=CLASSES)


def test_where_there_is_no_figure_there_is_no_interval():
    """R² of values that are all alike is none, in every draw."""
    assert np.isnan(percentiles(np.full(7, np.nan))).all()
    same, unit = np.full(60, 3.0), np.arange(60) // 6
    found = judge("r2", same, same + 1, unit)
    assert not np.isfinite(found.score.value)
    assert not np.isfinite(found.score.interval).any()
