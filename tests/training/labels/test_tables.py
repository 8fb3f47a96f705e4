"""read_table: rows with features and a target, or one sentence on why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geotools.errors import ConfigError, FileError, GeotoolsError, LabelsError
from geotools.training.config import make_config
from geotools.training.labels.tables import Table, read_features, read_table

HEADER = "kind,a,b,code,farm,day,x,y,note"


def rows(count: int = 30) -> list[list[Any]]:
    return [
        ["clay" if n % 2 else "sand", n / 2, -n / 4, n % 3, f"f{n % 4}", f"2020-01-{n % 28 + 1:02}",
         5e5 + 100 * n, 5e6, "text"]
        for n in range(count)
    ]  # fmt: skip


def table(
    tmp_path: Path, lines: list[list[Any]] | None = None, **more: Any
) -> tuple[Table, list[str]]:
    file = tmp_path / "table.csv"
    lines = rows() if lines is None else lines
    file.write_text("\n".join([HEADER, *(",".join(map(str, line)) for line in lines)]) + "\n")
    task = more.pop("task", "classification")
    made = make_config(
        {"name": "t", "task": task, "table": {"path": str(file), "target": "kind", **more}}
    )
    warned: list[str] = []
    return read_table(made, Path, warn=warned.append), warned


def test_features_are_the_columns_of_numbers_that_nothing_else_names(tmp_path: Path) -> None:
    found, _ = table(tmp_path, group="farm", time="day", x="x", y="y", crs="EPSG:32633")
    assert found.features == ("a", "b", "code")
    assert found.rows.dtype == np.float32
    assert np.array_equal(found.rows[:, 0], np.arange(30) / 2)
    assert [info.name for info in found.classes] == ["clay", "sand"]
    assert np.array_equal(found.cells.target, 1 - np.arange(30) % 2)
    assert found.groups == ("f0", "f1", "f2", "f3")
    assert np.array_equal(found.cells.group, np.arange(30) % 4)
    assert found.cells.time[0] == 18262
    assert found.cells.x[1] == 500_100
    assert found.crs.to_epsg() == 32633


def test_features_and_categories_can_be_named(tmp_path: Path) -> None:
    found, _ = table(tmp_path, features=["b", "code"], categories=["code"])
    assert found.features == ("b", "code")
    assert found.categories == {1: (0, 1, 2)}
    assert np.isnan(found.cells.x).all()
    assert found.crs is None


def test_rows_without_a_target_or_any_feature_are_left_out_and_counted(tmp_path: Path) -> None:
    lines = rows()
    lines[3][0] = ""
    lines[5][1] = lines[5][2] = ""
    lines[7][1] = ""
    found, warned = table(tmp_path, lines, features=["a", "b"])
    assert found.dropped == 2
    assert warned == ["table.csv: 2 rows without a target or any feature are left out."]
    assert 3 not in found.cells.row
    assert 5 not in found.cells.row
    assert np.isnan(found.rows[list(found.cells.row).index(7), 0])


def test_columns_of_text_that_are_not_learned_from_are_named(tmp_path: Path) -> None:
    _, warned = table(tmp_path)
    assert len(warned) == 2
    assert warned[0].startswith(
        "table.csv: the columns 'farm', 'day', 'note' are not learned from, because they hold text"
    )
    _, warned = table(tmp_path, group="farm", time="day")
    assert "the column 'note' is not learned from, because it holds text" in warned[0]
    assert table(tmp_path, features=["a", "b"])[1] == []
    many = tmp_path / "many.csv"
    head = ",".join(["kind", "a", *(f"t{n}" for n in range(7))])
    many.write_text("\n".join([head, *(f"c{n % 2},{n / 3}" + ",x" * 7 for n in range(30))]) + "\n")
    warned = []
    made = {"name": "t", "task": "classification", "table": {"path": str(many), "target": "kind"}}
    read_table(make_config(made), Path, warn=warned.append)
    assert "'t0', 't1', 't2', 't3', 't4' and 2 more are not learned from" in warned[0]


@pytest.mark.parametrize("order", [1, -1, 7])
def test_places_and_numbers_of_rows_are_not_learned_from_unless_named(
    tmp_path: Path, order: int
) -> None:
    """Whole numbers that are all different may be quantities where they spread widely."""
    file = tmp_path / "t.csv"
    lines = [f"c{n % 2},{n / 7},{n},{order * n % 31},{n * n * 7919 % 100_003}" for n in range(30)]
    file.write_text("\n".join(["kind,a,Lon,plot,people", *lines]) + "\n")
    made = {"name": "t", "table": {"path": str(file), "target": "kind"}}
    warned: list[str] = []
    found = read_table(make_config(made), Path, warn=warned.append)
    assert found.features == ("a", "people")
    assert len(warned) == 1
    assert warned[0].startswith("t.csv: not learned from are 'Lon', 'plot', places or numbers")
    made["table"] = {**made["table"], "features": ["Lon", "plot"]}  # type: ignore[dict-item]
    assert read_table(make_config(made), Path, warn=warned.append).features == ("Lon", "plot")
    assert len(warned) == 1


def test_categories_of_text_get_codes_and_keep_their_words(tmp_path: Path) -> None:
    lines = rows()
    lines[4][4] = ""
    found, _ = table(tmp_path, lines, features=["a", "farm"], categories=["farm"])
    assert found.words == {"farm": ("f0", "f1", "f2", "f3")}
    assert found.categories == {1: (1, 2, 3, 4)}
    expected = (np.arange(30) % 4 + 1).astype(np.float32)
    expected[4] = np.nan
    assert np.array_equal(found.rows[:, 1], expected, equal_nan=True)


def test_texts_that_stand_for_nothing_are_told_where_they_are_classes(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    lines = [f"{'clay' if n % 2 else 'nodata'},{n / 7}" for n in range(30)]
    file.write_text("\n".join(["kind,a", *lines]) + "\n")
    made = {"name": "t", "table": {"path": str(file), "target": "kind"}}
    warned: list[str] = []
    read_table(make_config(made), Path, warn=warned.append)
    assert "the column 'kind' has the text 'nodata', which is learned as a class" in warned[0]


def test_some_text_in_a_column_of_numbers_is_refused_with_its_row(tmp_path: Path) -> None:
    lines = rows()
    lines[6][1] = "n.d."
    with pytest.raises(LabelsError, match=r"column 'a' has 'n\.d\.' in row 7, where a number"):
        table(tmp_path, lines)
    assert table(tmp_path, lines, features=["b"])[0].features == ("b",)


def test_rows_without_a_place_are_left_out_where_places_matter(tmp_path: Path) -> None:
    lines = rows()
    lines[4][6] = ""
    found, warned = table(tmp_path, lines, x="x", y="y", crs="EPSG:32633")
    assert 4 not in found.cells.row
    assert "1 rows without a target, a place or any feature" in warned[1]
    assert len(table(tmp_path, lines)[0].cells) == 30


def test_values_are_learned_from_a_column_of_numbers(tmp_path: Path) -> None:
    found, _ = table(tmp_path, task="regression", target="a")
    assert found.features == ("b", "code")
    assert np.array_equal(found.cells.target, np.arange(30, dtype=np.float32) / 2)
    assert found.classes == ()
    with pytest.raises(LabelsError, match="column 'note' has 'text' in row 1"):
        table(tmp_path, task="regression", target="note")


@pytest.mark.parametrize(
    ("more", "kind", "words"),
    [
        ({"target": "Kind"}, FileError, "no column 'Kind': did you mean 'kind'"),
        ({"features": ["a", "note"]}, LabelsError, "column 'note' has 'text' in row 1"),
        ({"features": ["a", "kind"]}, ConfigError, "target 'kind' is among the features"),
        ({"features": ["a"], "categories": ["code"]}, ConfigError, "'code', which is not in fea"),
        ({"categories": ["a"]}, LabelsError, "'a' is named in categories but holds no codes"),
        ({"x": "x"}, ConfigError, "one of x and y"),
        ({"x": "x", "y": "y"}, ConfigError, "x and y but no crs"),
        ({"x": "x", "y": "y", "crs": "EPSG:4326"}, LabelsError, "'y' holds no latitudes"),
        ({"time": "note"}, LabelsError, "'note' has 'text' in row 1, which is no date"),
        ({"target": "note"}, LabelsError, "one class only, 'text'"),
        ({"target": "x", "task": "regression", "features": ["q"]}, FileError, "no column 'q'"),
        ({"target": "y", "task": "regression"}, LabelsError, "target is 5e.06 in all rows"),
    ],
)
def test_what_cannot_be_learned_from_is_refused_in_one_sentence(
    tmp_path: Path, more: dict[str, Any], kind: type[GeotoolsError], words: str
) -> None:
    with pytest.raises(kind, match=words) as caught:
        table(tmp_path, **more)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_a_class_of_three_rows_is_refused(tmp_path: Path) -> None:
    lines = rows()
    for line in lines[:3]:
        line[0] = "peat"
    with pytest.raises(LabelsError, match="class 'peat' has 3 labelled rows, needed are 10"):
        table(tmp_path, lines)


def test_features_alone_are_read_for_a_model_that_is_run(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("b,a\n1,2\n,4\n")
    found = read_features(file, ["a", "b"])
    assert np.array_equal(found, np.array([[2, 1], [4, np.nan]], np.float32), equal_nan=True)


def test_a_real_table_has_its_known_size(shared: Path) -> None:
    file = shared / "tabular_satimage" / "satellite.csv.gz"
    made = make_config({"name": "t", "table": {"path": str(file), "target": "classes"}})
    found = read_table(made, Path)
    assert found.rows.shape == (6435, 36)
    assert len(found.classes) == 6
    assert found.dropped == 0
