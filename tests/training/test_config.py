"""Configurations: what they become, and what is wrong with them."""

import pytest
from training_scenes import as_toml, settings, table_settings

from geotools.errors import ConfigError, FileError
from geotools.training.config import make_config, read_config
from geotools.training.learners.settings import LEARNERS

INPUT = {"name": "dem", "path": "dem.tif"}


def test_a_file_says_the_same_as_its_values(tmp_path):
    """And so its digest, which tells runs apart, is the same."""
    (tmp_path / "a.toml").write_text(as_toml(settings()), encoding="utf-8")
    read = read_config(tmp_path / "a.toml")
    assert read == make_config(settings())
    assert read.digest() == make_config(settings()).digest()


def test_a_file_gives_its_name(tmp_path):
    values = settings()
    del values["name"]
    (tmp_path / "glacier.toml").write_text(as_toml(values), encoding="utf-8")
    assert read_config(tmp_path / "glacier.toml").name == "glacier"


def test_every_setting_is_in_the_digest():
    first = make_config(settings()).digest()
    for change in (
        {"seed": 1}, {"metric": "accuracy"}, {"features": ["dem"]}, {"learner": "svm"},
        {"split": {"kind": "blocks"}}, {"augment": {"noise": 0.1}}, {"grid": {"cell_size": 60.0}},
    ):  # fmt: skip
        assert make_config(settings() | change).digest() != first


def test_the_metric_goes_with_the_task():
    assert make_config(settings()).score == "macro_f1"
    assert make_config(settings(task="regression")).score == "r2"
    assert make_config(settings(metric="iou")).score == "iou"


@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_by_its_name_has_its_defaults(name):
    made = make_config(settings() | {"learner": name}).learner
    assert made == LEARNERS[name]()
    assert made == make_config(settings() | {"learner": {"name": name}}).learner


def without(key: str, values: dict) -> dict:
    return {name: value for name, value in values.items() if name != key}


CASES = [
    (without("labels", settings()), "give either [labels] with [[inputs]], or [table]"),
    (settings() | {"table": {"path": "a", "target": "b"}}, "give either"),
    (without("inputs", settings()), "no [[inputs]]: name the rasters"),
    (table_settings("a", "forest") | {"inputs": [INPUT]}, "has [table] and rasters"),
    (settings(inputs={"name": "dem"}), "[[inputs]] 1: give one of path, mosaic and dates"),
    (settings(inputs=INPUT | {"mosaic": ["a"]}), "give one of path, mosaic and dates"),
    (settings() | {"inputs": INPUT}, "inputs is no list: write [[inputs]]"),
    (settings() | {"inputs": [INPUT, INPUT]}, "the name 'dem' is given twice"),
    (settings(inputs=INPUT | {"name": "a.b"}), "name is 'a.b': give letters, digits and _"),
    (settings(inputs=INPUT | {"name": "terrain"}), "not terrain or imagery"),
    (settings(metric="rmse"), "metric is 'rmse': for classification, allowed are accuracy"),
    (settings(metric="iou", task="regression"), "for regression, allowed are r2, rmse, mae"),
    (settings(metric="f1"), "metric is 'f1'"),
    (settings(labels={"path": "a", "class_name": "ice"}), "give background"),
    (
        settings(labels={"path": "a", "class_name": "ice", "background": "ice"}),
        "class_name and background are both 'ice': give two names",
    ),
    (settings(labels={"path": "a", "background": "x"}, task="regression"), "background is of"),
    (settings(labels={"path": "a", "colors": {}}, task="regression"), "colors is of classes"),
    (settings(split={"kind": "list"}), 'kind is "list": give train and test'),
    (settings() | {"learner": "tree"}, "[learner]: name is 'tree': allowed are auto, forest"),
    (settings() | {"learner": 5}, "[learner]: give a table with the key name"),
    (settings({"name": "svm", "trees": 5}), "[learner] has the unknown key 'trees'"),
    (settings({"name": "auto", "candidates": []}), "candidates is empty"),
    (settings({"name": "auto", "strengths": []}), "strengths is empty"),
    (settings({"name": "auto", "candidates": ["svm", "svm"]}), "candidates has something twice"),
    (settings() | {"name": ""}, "give 1 to 80 letters"),
    (settings() | {"name": "a/b"}, "without slashes"),
    (settings() | {"name": "a\0"}, "give 1 to 80 letters"),
    (settings() | {"name": "n" * 81}, "give 1 to 80 letters"),
    (settings(links=["dem.tif"]), "links has 'dem.tif': give addresses that begin with https://"),
    (settings(seed=-1), "seed is -1: give a number at least 0"),
    (settings() | {"grid": {"cell_size": 0}}, "[grid]: cell_size is 0: give a number more than 0"),
    (settings() | {"augment": {"shift": 2}}, "[augment]: shift is 2"),
    (settings() | {"labels": "labels.tif"}, "[labels] is 'labels.tif': a table of keys is needed"),
]


@pytest.mark.parametrize(("values", "words"), CASES, ids=[words for _, words in CASES])
def test_what_is_wrong_is_said(values, words):
    with pytest.raises(ConfigError) as raised:
        make_config(values, where="a.toml")
    assert words in str(raised.value)
    assert str(raised.value).startswith("a.toml")


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FileError, match="does not exist"):
        read_config(tmp_path / "none.toml")
    with pytest.raises(FileError, match="is no file"):
        read_config(tmp_path)
    with pytest.raises(FileError, match="cannot be read"):
        read_config("a\0b")
