"""The record of a training: plain values for JSON, and sentences that claim no more."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from training_records import make_class_record, make_value_record

from geotools.errors import FileError
from geotools.evaluation.metrics import Scored
from geotools.evaluation.training_record import PartRow, write_evaluation
from geotools.evaluation.training_words import caveats, comparison, figure_words, result

NAN = float("nan")


@pytest.fixture(scope="module")
def record():
    return make_class_record(shape=(60, 80))


def test_the_file_has_the_keys_that_others_rely_on(record, tmp_path):
    path = tmp_path / "evaluation.json"
    write_evaluation(path, record)
    body = json.loads(path.read_text(encoding="utf-8"))
    assert body["metric"] == "macro_f1"
    assert body["score"] == record.score.value
    assert body["interval"] == list(record.score.interval)
    assert body["baselines"] == {
        "random forest": record.baselines["random forest"].value,
        "majority class": record.baselines["majority class"].value,
    }
    assert (body["learner"], body["split"], body["seed"]) == ("unet", record.split_title, 0)
    assert body["parity"]["largest_difference"] == 3.1e-6
    for key in (
        "classes", "per_class", "confusion", "other", "calibration", "area", "importance",
        "learners", "warnings", "seconds", "baselines_interval",
    ):  # fmt: skip
        assert body[key], key
    assert sum(map(sum, body["confusion"])) == body["cells"]
    assert [row["f1"]["value"] for row in body["per_class"]] == [
        row.f1.value for row in record.per_class
    ]


def test_what_there_is_not_is_null(record, tmp_path):
    """JSON knows no NaN: strict readers would refuse the file."""
    path = tmp_path / "evaluation.json"
    write_evaluation(path, replace(record, score=Scored(0.5, (NAN, NAN)), area=None))

    def refuse(word: str) -> None:
        raise AssertionError(word)

    body = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    assert body["interval"] == [None, None]
    assert body["area"] is None
    assert body["learners"][2]["test"] is None
    assert json.dumps(make_value_record().to_json(), allow_nan=False)


def test_an_evaluation_is_not_replaced_unasked(record, tmp_path):
    path = tmp_path / "evaluation.json"
    path.write_text("mine")
    with pytest.raises(FileError, match="exists"):
        write_evaluation(path, record)
    assert path.read_text() == "mine"
    write_evaluation(path, record, overwrite=True)
    assert json.loads(path.read_text())["name"] == record.name


def test_the_result_is_one_sentence_with_its_interval(record):
    some = replace(record, score=Scored(0.873, (0.85, 0.893)), cells=12_345, units=43)
    assert result(some) == (
        "The U-Net reaches macro-F1 0.873 (95 % by blocks: 0.850 to 0.893) on 12,345 cells that it "
        "did not learn from (5 rounds of blocks of 600 m)."
    )
    assert "0.873 on 12,345" in result(replace(some, score=Scored(0.873, (NAN, NAN))))


@pytest.mark.parametrize(
    ("value", "low", "high", "words"),
    [
        (0.05, 0.02, 0.08, "is 0.050 (0.020 to 0.080) above the random forest."),
        (0.05, -0.02, 0.12, "is 0.050 (−0.020 to 0.120) above the random forest, which may be "
         "chance."),
        (-0.05, -0.08, -0.02, "is 0.050 (0.020 to 0.080) below the random forest, which is the "
         "better one."),
        (0.05, NAN, NAN, "is 0.050 above the random forest, without an interval."),
        (NAN, NAN, NAN, "cannot be compared with the random forest."),
    ],
)  # fmt: skip
def test_a_difference_that_may_be_chance_is_said_to(record, value, low, high, words):
    some = replace(record, differences={"random forest": Scored(value, (low, high))})
    assert comparison(some) == (f"The U-Net {words}",)


def test_errors_are_better_below():
    record = make_value_record()
    words = comparison(record)
    assert len(words) == 1
    assert words[0].startswith("The RMSE of the random forest is ")
    assert words[0].endswith("below that of the mean, which is better.")
    worse = replace(record, differences={"mean": Scored(2.0, (1.0, 3.0))})
    assert comparison(worse)[0].endswith("above that of the mean, which is worse.")
    assert f"reaches RMSE {record.score.value:.3f} cm (95 % by blocks: " in result(record)


def test_a_learner_is_not_compared_with_itself(record):
    same = replace(record, learner_title="random forest")
    assert all("above the random forest" not in words for words in comparison(same))


def test_what_must_be_known_is_said(record):
    row = record.per_class[0]
    some = replace(
        record,
        split_kind="random",
        units=4,
        per_class=(
            replace(row, units=1),
            replace(record.per_class[1], predicted=0),
            replace(record.per_class[2], cells=0, units=0),
        ),
        calibration=replace(record.calibration, temperature=0.05),
        warnings=("First.", "First."),
    )
    said = caveats(some)
    assert said[0] == "First."
    assert len(said) == 7
    words = " ".join(said)
    for part in (
        "too high for new ground", "4 blocks only", "water has test cells in a single",
        "forest was never predicted", "pasture has no test cells", "bound of 0.05",
    ):  # fmt: skip
        assert part in words, part
    assert "there is no interval" in " ".join(caveats(replace(record, units=1)))


def test_numbers_have_the_digits_that_can_be_read():
    given = (0.87349, 0.0, -0.0123, 12.345, 123.45, 12_345.6, 0.00012, NAN, float("inf"))
    said = ("0.873", "0.000", "−0.012", "12.35", "123.5", "12,346", "1.2e-04", "—", "∞")
    assert tuple(figure_words(value) for value in given) == said


def test_evaluation_needs_neither_torch_nor_a_picture_library():
    """A fresh process that writes figures loads no learner and no matplotlib."""
    code = (
        "import sys; import geotools.evaluation.training_report, geotools.evaluation.metrics; "
        "print([m for m in ('torch', 'sklearn', 'onnx', 'onnxruntime', 'matplotlib', 'scipy') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_records_arrays_are_not_changed_by_writing(record, tmp_path):
    before = record.confusion.copy()
    write_evaluation(tmp_path / "a.json", record)
    np.testing.assert_array_equal(record.confusion, before)


def test_scenes_are_listed_beside_the_interval(record, tmp_path):
    """A key of its own; the keys that others rely on stay."""
    rows = (PartRow("north", 40, 0.9), PartRow("south", 60, 0.2), PartRow("west", 1, NAN))
    path = tmp_path / "evaluation.json"
    write_evaluation(path, replace(record, parts=rows, part_word="scenes"))
    body = json.loads(path.read_text(encoding="utf-8"))
    assert body["parts"] == [
        {"name": "north", "cells": 40, "score": 0.9},
        {"name": "south", "cells": 60, "score": 0.2},
        {"name": "west", "cells": 1, "score": None},
    ]
    assert body["part_word"] == "scenes"
    assert body["score"] == record.score.value
