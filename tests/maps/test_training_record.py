"""The record of a training: what the rounds said, and the scenes as the model maps them."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from training_scenes import SIZE, make_scene, settings

from geotools.evaluation.metrics import score, score_with_interval
from geotools.training.config import make_config

pytest.importorskip("torch")

from geotools.maps import training_pictures
from geotools.maps.training_pictures import pictured
from geotools.maps.training_record import finished, judged
from geotools.training.choosing import decided
from geotools.training.export.model_file import write_model
from geotools.training.job import learn
from geotools.training.prepare import prepare


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Prepared, outcome, spec and the model of a choice among two."""
    scene = make_scene(tmp_path_factory.mktemp("scene"))
    model = tmp_path_factory.mktemp("model") / "model.onnx"
    config = make_config(settings({"name": "auto", "candidates": ["forest", "logistic"]}))
    with ExitStack() as stack:
        prepared = prepare(config, data=scene, folder=Path(), stack=stack, warn=lambda text: None)
        outcome = learn(prepared)
        yield prepared, outcome, write_model(outcome, prepared, model, training={}), model


def test_the_score_is_that_of_the_tested_cells(run):
    prepared, outcome, _, _ = run
    judgement = judged(prepared, outcome)
    target = prepared.material.cells.target
    assert judgement.score.value == score(
        "macro_f1", target, decided(outcome.predictions), classes=2
    )
    assert set(judgement.baselines) == {"majority class", "random forest"}
    assert judgement.confusion.sum() == SIZE**2


def test_the_scene_is_shown_as_the_model_maps_it(run):
    """Labels, folds and what the rounds said lie at their cells; areas are those of the map."""
    prepared, outcome, _, model = run
    (picture,), area = pictured(prepared, outcome, model, warn=pytest.fail)
    cells, split = prepared.material.cells, prepared.split
    assert picture.predicted.shape == (SIZE, SIZE)
    np.testing.assert_array_equal(picture.truth[cells.row, cells.col], cells.target)
    np.testing.assert_array_equal(picture.fold[cells.row, cells.col], split.fold)
    np.testing.assert_array_equal(
        picture.tested[cells.row, cells.col], decided(outcome.predictions)
    )
    assert (picture.predicted == picture.truth).mean() > 0.97
    counts = np.bincount(picture.predicted.ravel(), minlength=2)
    np.testing.assert_allclose(area.estimate.mapped, counts * 9e-4, rtol=2e-3)
    left, right, bottom, top = picture.extent
    assert (right - left, top - bottom) == (SIZE * 30, SIZE * 30)


def test_a_large_scene_is_shown_around_its_labels(run, monkeypatch):
    """No area is counted on a part; that is said."""
    prepared, outcome, _, model = run
    monkeypatch.setattr(training_pictures, "_SIDE", 20)
    monkeypatch.setattr(training_pictures, "_SHOWN", 10)
    said = []
    (picture,), area = pictured(prepared, outcome, model, warn=said.append)
    assert picture.predicted.shape == (10, 10)
    assert area is None
    assert "too large, or too many, to count areas" in said[0]
    assert (picture.fold >= 0).all()


def test_the_record_holds_what_was_tried_and_what_the_choice_is_worth(run):
    prepared, outcome, spec, _ = run
    record = finished(
        prepared, outcome, judged(prepared, outcome), spec,
        maps=(), area=None, warnings=("Mind the gap.",), command="geotools train", seconds=2.0,
    )  # fmt: skip
    assert [row.name for row in record.learners] == ["forest", "logistic"]
    assert [row.chosen for row in record.learners].index(True) == outcome.choice.final
    assert record.nested == score_with_interval(
        "macro_f1", prepared.material.cells.target, decided(outcome.choice.nested),
        prepared.split.unit, classes=2, seed=0,
    )  # fmt: skip
    assert record.unit_word == "blocks"
    assert record.warnings == ("Mind the gap.",)
    assert record.parity == spec.parity
    assert record.seconds["all"] == 2.0
    assert record.provenance["data"] == "dem.tif, labels.tif"
    body = record.to_json()
    assert body["calibration"]["temperature"] == outcome.temperature
    alone = replace(outcome, choice=replace(outcome.choice, nested=None))
    record = finished(
        prepared, alone, judged(prepared, alone), spec,
        maps=(), area=None, warnings=(), command="", seconds=0.0,
    )  # fmt: skip
    assert record.to_json()["nested"] is None


def test_scenes_are_judged_one_by_one(run):
    """By the figure of the whole, on their own cells, under their names."""
    prepared, outcome, spec, _ = run
    cells = prepared.material.cells
    part = np.where(cells.col < SIZE // 3, 1, 0)
    split = replace(prepared.split, part=part, parts=("east", "west"), part_word="scenes")
    prepared = replace(prepared, split=split)
    record = finished(
        prepared, outcome, judged(prepared, outcome), spec,
        maps=(), area=None, warnings=(), command="", seconds=0.0,
    )  # fmt: skip
    assert record.part_word == "scenes"
    told = decided(outcome.predictions)
    for number, row in enumerate(record.parts):
        mine = part == number
        assert (row.name, row.cells) == (split.parts[number], mine.sum())
        assert row.score == score("macro_f1", cells.target[mine], told[mine], classes=2)
