"""The card of a trained model: every figure of the record, nothing where there is none."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from learner_models import conv_traced, make_spec, row_traced
from training_records import make_class_record, make_value_record

from geotools.errors import FileError
from geotools.spec import SourceInfo
from geotools.training.export.card import write_card

SOURCES = (
    SourceInfo("dem", ("dem",), (1,), 1, role="elevation"),
    SourceInfo("l5", ("red", "nir"), (3, 4), 7, resampling="average", dates=("1986", "1991")),
)

RECORD = {
    "schema": 1, "name": "glacier", "task": "classification", "metric": "iou", "score": 0.6512,
    "interval": [0.5534, 0.7211], "baselines": {"majority class": 0.0, "random forest": 0.6},
    "baselines_interval": {"majority class": [None, None], "random forest": [0.5, 0.7]},
    "learner": "unet", "split": "spatial blocks of 3 km, 5 rounds", "seed": 7, "cells": 12345,
    "units": 42, "result": ["The U-Net reaches IoU 0.651."], "warnings": ["Only 3 cells of rock."],
    "per_class": [
        {"code": 1, "name": "ice|snow", "cells": 10000,
         "precision": {"value": 0.9, "interval": [0.85, 0.95]},
         "recall": {"value": 0.8, "interval": [0.7, 0.9]},
         "f1": {"value": None, "interval": [None, None]}, "iou": {"value": 0.73}},
    ],
    "other": {"iou": {"value": 0.65}, "kappa": {"value": 0.41, "interval": [0.3, 0.5]}},
    "calibration": {"temperature": 1.32, "before": {"expected_error": 0.08, "brier": 0.2},
                    "after": {"expected_error": 0.02, "brier": 0.19}},
    "area": {"unit": "km²", "classes": [
        {"code": 1, "name": "ice", "mapped": 12.5, "adjusted": 13.25, "se": 0.75}]},
    "importance": [{"feature": "dem", "drop": 0.01, "interval": [-0.01, 0.03]},
                   {"feature": "l5.red@1986", "drop": 0.2, "interval": [0.1, 0.3]}],
    "learners": [{"name": "forest", "validation": 0.6, "test": None},
                 {"name": "unet", "validation": 0.66, "test": 0.65, "chosen": True}],
    "residuals": None,
}  # fmt: skip

TRAINING = {
    "data": ["dem.tif", "l5_1986.tif"], "attribution": "USGS, public domain", "seed": 7,
    "links": ["https://example.org/l5"],
    "command": "geotools train glacier.toml -o RUN --data DIR", "software": "geotools-ml 0.1.0",
}  # fmt: skip


def card_of(tmp_path: Path, spec, record) -> str:
    write_card(tmp_path / "card.md", spec, record)
    return (tmp_path / "card.md").read_text(encoding="utf-8")


@pytest.fixture
def spec():
    _, traced = conv_traced(("dem", "l5.red@1986", "l5.nir@1986"), sizes=True)
    return make_spec(
        traced, sources=SOURCES, halo=24, tile=512, stride_multiple=8, training=TRAINING,
        parameters={"learner": "unet"}, cell_size_m=(24.0, 37.5),
        parity={"max_difference": 3.2e-6, "class_agreement": 1.0, "cells": 900, "on": "4 tiles"},
    )  # fmt: skip


def test_the_card_says_what_goes_in_and_how_to_run_it(tmp_path: Path, spec):
    card = card_of(tmp_path, spec, RECORD)
    assert card.startswith("# tiny\n")
    assert "**Learner** U-Net." in card
    assert "| 1 | dem | dem (1) | elevation, metres | bilinear | – |" in card
    assert "| 2 | l5 | red (3), nir (4) | values | average | 1986, 1991 |" in card
    assert (
        "geotools predict model.onnx dem.tif l5_1986.tif l5_1991.tif -o map.tif "
        "--polygons map.gpkg" in card
    )
    assert "| `raster` | (N, 3, H, W) |" in card
    assert "| `cell_size` | (N, 2, H, 1) |" in card
    assert "1 ice, 2 rock, 3 water" in card
    assert "up to 24 cells away" in card
    assert "multiples of 8" in card


def test_the_card_gives_every_figure(tmp_path: Path, spec):
    card = card_of(tmp_path, spec, RECORD)
    assert "| **this model** | 0.651 (0.553 to 0.721) |" in card
    assert "| majority class | 0.000 |" in card
    assert "| random forest | 0.600 (0.500 to 0.700) |" in card
    assert "spatial blocks of 3 km, 5 rounds. 12,345 test cells in 42 units." in card
    assert (
        "| ice\\|snow | 10,000 | 0.900 (0.850 to 0.950) | 0.800 (0.700 to 0.900) | — | 0.730 |"
        in card
    )
    assert "| U-Net (chosen) | 0.660 | 0.650 |" in card
    assert "kappa 0.410 (0.300 to 0.500)." in card
    assert "temperature 1.320" in card
    assert "| expected calibration error | 0.080 | 0.020 |" in card
    assert re.search(r"\| ice \| 12\.50 \| 13\.25 \| 0\.750 \|", card)
    assert card.index("l5.red@1986` | 0.200") < card.index("dem` | 0.010")
    assert "3.2e-06, same class in 100.0000%, 900 cells" in card
    assert "- Only 3 cells of rock." in card
    assert "cells of 24 to 37.5 m" in card
    assert "USGS, public domain." in card
    assert "<https://example.org/l5>" in card
    assert "Licence of the model: CC-BY-4.0." in card
    assert "    geotools train glacier.toml -o RUN --data DIR" in card
    assert "Seed 7, geotools-ml 0.1.0." in card


def test_what_the_record_lacks_is_left_out(tmp_path: Path, spec):
    """Any part of the record may be missing or null."""
    card = card_of(tmp_path, spec, {})
    assert "## Score" not in card
    assert "## Each class" not in card
    for key in RECORD:
        for record in (
            {name: value for name, value in RECORD.items() if name != key},
            {**RECORD, key: None},
            {key: RECORD[key]},
        ):
            write_card(tmp_path / "card.md", spec, record, overwrite=True)


def test_tables_are_whole(tmp_path: Path, spec):
    """Every row of a table has as many cells as its head."""
    widths: list[int] = []
    for line in card_of(tmp_path, spec, RECORD).splitlines():
        if line.startswith("|"):
            widths.append(len(re.findall(r"(?<!\\)\|", line)))
            assert widths[-1] == widths[0], line
        else:
            widths = []


def test_the_card_of_a_table(tmp_path: Path):
    _, traced = row_traced(("b1", "b2"))
    spec = make_spec(traced, sources=(), parameters={"learner": "forest", "table": True})
    card = card_of(tmp_path, spec, {"learner": "forest"})
    assert "Columns, by name: `b1`, `b2`." in card
    assert "geotools predict model.onnx rows.csv -o out.csv" in card
    assert "Made for cells" not in card


def test_the_card_of_values(tmp_path: Path):
    _, traced = conv_traced(classes=0)
    spec = make_spec(traced, classes=0, parity={"max_difference": 1e-6})
    record = {
        "task": "regression", "metric": "rmse", "score": 12.25, "interval": [10.5, 14.0],
        "learner": "logistic",
        "residuals": {"bias": -0.5, "bias_interval": [-1, 0.25], "spread": 12.0},
    }  # fmt: skip
    card = card_of(tmp_path, spec, record)
    assert "**Learner** ridge regression." in card
    assert "values in m" in card
    assert "| **this model** | 12.25 (10.50 to 14.00) |" in card
    assert "mean −0.500 (−1.000 to 0.250), standard deviation 12.00" in card
    assert "largest difference of a value, in shares of the largest, 1.0e-06." in card


def test_a_card_is_not_replaced_unasked(tmp_path: Path, spec):
    card_of(tmp_path, spec, json.loads(json.dumps(RECORD)))
    with pytest.raises(FileError, match="overwrite"):
        write_card(tmp_path / "card.md", spec, RECORD)


@pytest.mark.parametrize("make", [make_class_record, make_value_record])
def test_the_card_takes_what_a_training_leaves_behind(tmp_path: Path, spec, make):
    """The figures of a whole record come through under their headings."""
    record = make()
    card = card_of(tmp_path, spec, record.to_json())
    assert "## Score" in card
    assert f"{record.cells:,} test cells" in card
    for baseline in record.baselines:
        assert f"| {baseline} |" in card
    for row in record.per_class:
        assert f"| {row.info.name} | {row.cells:,} |" in card
    for row in record.importance:
        assert f"`{row.feature}`" in card
