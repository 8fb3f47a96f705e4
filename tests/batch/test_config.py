"""geotools.batch.config: a job as TOML or dictionary; what is wrong is named."""

import dataclasses
import importlib
from pathlib import Path

import pytest

from geotools.batch.config import OPTIONS, make_job, read_job
from geotools.errors import ConfigError, FileError

JOB = {"operation": "landforms", "output": "out", "inputs": "*.tif"}


def test_a_toml_is_read(tmp_path):
    """Sections, overrides and the options of the operation."""
    (tmp_path / "job.toml").write_text(
        """
        operation = "terrain"
        output = "out"
        mosaic = "last"
        [[inputs]]
        paths = ["*.tif", ["a.tif", "b.tif"]]
        [[inputs]]
        csv = "list.csv"
        column = "file"
        options = ["nodata"]
        [options]
        attributes = ["slope", "tpi"]
        [[overrides]]
        match = "N4*"
        radius = 3
        """
    )
    job = read_job(tmp_path / "job.toml")
    assert job.inputs[0].paths == ("*.tif", ("a.tif", "b.tif"))
    assert job.inputs[1].options == ("nodata",)
    assert job.overrides[0].options == {"radius": 3}
    assert job.mosaic == "last"


def test_paths_alone_are_inputs():
    """A glob, a list of paths, and paths of Python stand for one section."""
    assert make_job(JOB).inputs[0].paths == ("*.tif",)
    assert make_job({**JOB, "inputs": [Path("a.tif"), "b.tif"]}).inputs[0].paths == (
        "a.tif",
        "b.tif",
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"operation": "landform"}, "did you mean 'landforms'"),
        ({"operation": "export"}, "allowed are predict, landforms, terrain, forecast"),
        ({"outputs": "x"}, "unknown key 'outputs': did you mean 'output'"),
        ({"output": " "}, "output is ' ': name a folder"),
        ({"name": "../{stem}"}, "without folders"),
        ({"mosaic": "mean"}, "mosaic is 'mean': allowed are first, last"),
        ({"inputs": []}, "no \\[\\[inputs\\]\\]"),
        ({"inputs": 3}, "inputs is no list"),
        ({"inputs": [{}]}, "inputs\\]\\] 1: give one of paths, stac and csv"),
        ({"inputs": [{"paths": "a", "csv": "b"}]}, "give one of paths, stac and csv"),
        ({"inputs": [{"paths": "a", "asset": "b"}]}, "asset belongs to stac"),
        ({"inputs": [{"stac": "a", "options": ["b"]}]}, "options belongs to csv"),
        ({"inputs": [{"stac": "a", "asset": "b", "role": "c"}]}, "one of asset and role"),
        ({"options": {"serach": 3}}, "\\[options\\] has the unknown key 'serach': did you mean"),
        ({"options": {"method": "exact"}}, "method is 'exact': allowed are model, geomorphons"),
        ({"overrides": [{"match": "a"}]}, "overrides\\]\\] 1 changes nothing"),
        ({"overrides": [{"crs": "a"}]}, "lacks the key 'match'"),
        ({"overrides": {"match": "a"}}, "overrides is no list"),
        ({"overrides": [{"match": "a", "nodta": 1}]}, "overrides\\]\\] 1 has the unknown key"),
        ({"operation": "predict"}, "\\[options\\] lacks the key 'model'"),
    ],
)
def test_what_is_wrong_is_named(changes, words):
    """One sentence with the key and what is allowed there."""
    with pytest.raises(ConfigError, match=words):
        make_job({**JOB, **changes})


def test_a_toml_that_is_not_there(tmp_path):
    """A file error, not a traceback."""
    with pytest.raises(FileError, match="does not exist"):
        read_job(tmp_path / "none.toml")


_OF_RUNS = {
    "output", "tile", "threads", "memory", "overwrite", "progress", "executor", "job", "unit",
    "workers", "unit_limit", "shard", "scheduler", "insecure_scheduler", "seams", "dry_run",
    "confidence_file", "entropy_file", "probabilities_file",
}  # fmt: skip
"""Flags that a batch has itself, or that are of single runs."""

_OTHERWISE = {"attribute": "attributes", "list": None, "picture": None, "with": "others"}
"""Flags with another word in a job; None: only of the command."""


@pytest.mark.parametrize("operation", OPTIONS)
def test_options_have_the_words_of_the_command(operation):
    """Every flag that shapes a map is an option of the job, by the same name."""
    command = importlib.import_module(f"geotools.cli.{operation}").command
    flags = {
        max(item.opts, key=len).removeprefix("--").replace("-", "_")
        for item in command.params
        if item.param_type_name == "option"
    }
    known = {field.name for field in dataclasses.fields(OPTIONS[operation])}
    words = {_OTHERWISE.get(flag, flag) for flag in flags - _OF_RUNS} - {None}
    assert words | {"model"} == known | {"model"}, "add it to geotools/batch/options.py"
