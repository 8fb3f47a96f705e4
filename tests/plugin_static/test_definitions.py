"""geotools_qgis.definitions against `geotools --help-json`: the two cannot drift apart."""

import json
import subprocess
import sys

import pytest
from geotools_qgis.definitions import DEFINITIONS
from geotools_qgis.definitions.earthquakes import DECLUSTERING, QUANTITIES
from geotools_qgis.definitions.option import GROUPS, OUTPUTS
from geotools_qgis.definitions.terrain import ATTRIBUTES
from geotools_qgis.definitions.training import LEARNERS, METRICS
from geotools_qgis.engine.messages import SCHEMA

TYPES = {
    "int": {"integer", "integer range"}, "float": {"float", "float range"}, "flag": {"flag"},
    "choice": {"choice", "text"}, "choices": {"text"}, "band": {"integer"}, "box": {"float"},
}  # fmt: skip
"""Kind of an option -> types of the command line; all others are texts."""


@pytest.fixture(scope="module")
def told() -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "geotools", "--help-json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def twin(told, definition) -> dict:
    return told["commands"][" ".join(definition.command)]


def flags_of(twin) -> dict:
    return {flag: one for one in twin["options"] for flag in one["flags"]}


def test_both_sides_speak_the_same_form(told):
    """The schema that the plugin reads is the one that geotools writes."""
    assert told["schema"] == SCHEMA


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda one: one.name)
def test_every_option_has_its_twin(told, definition):
    """Flag, type, choices and default of each option are those of the command line."""
    flags = flags_of(twin(told, definition))
    for option in definition.options:
        if not option.flag:
            continue
        one = flags[option.flag]
        assert one["type"] in TYPES.get(option.kind, {"text"}), option.name
        if option.kind == "choices":
            assert list(option.default) == one["default"]
            assert one["multiple"]
        else:
            assert option.default == one["default"], option.name
        if one["choices"]:
            assert list(option.choices) == one["choices"], option.name
        for mine, other in ((option.least, one["least"]), (option.most, one["most"])):
            assert other is None or mine is None or mine == other or mine == max(mine, other)
        if option.kind in OUTPUTS and option.needed:
            assert one["required"]
        if option.beside:
            assert option.beside in flags


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda one: one.name)
def test_every_flag_is_offered_or_left_out_with_a_reason(told, definition):
    """No option of the command line is forgotten, and none is left out that there is not."""
    options = twin(told, definition)["options"]
    long = {flag for one in options for flag in one["flags"] if flag.startswith("--")}
    offered = {one.flag for one in definition.options} | {one.beside for one in definition.options}
    offered.discard("")
    assert offered | set(definition.left_out) == long
    assert not offered & set(definition.left_out)
    assert all(definition.left_out.values())


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda one: one.name)
def test_words_without_flag_are_the_arguments(told, definition):
    """As many values stand without a flag as the command takes."""
    arguments = twin(told, definition)["arguments"]
    bare = [
        one for one in definition.options
        if not one.flag and one.kind not in ("events", "label_raster", "page_out")
        and not one.kind.startswith("toml_")
    ]  # fmt: skip
    assert len(bare) == len(arguments)


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda one: one.name)
def test_every_option_has_words(definition):
    """Names are upper case and unique; label, help, group and defaults are there."""
    names = [one.name for one in definition.options]
    assert len(set(names)) == len(names)
    assert all(name == name.upper() and name.isidentifier() for name in names)
    assert all(one.label and one.help for one in definition.options)
    assert definition.group in GROUPS
    assert definition.name.isalpha()
    assert definition.name.islower()
    assert len(definition.about) > 80
    for one in definition.options:
        assert not one.choices or one.default is None or set(_all(one.default)) <= set(one.choices)
        assert not one.parent or one.parent in names
    figures = [one.name for one in definition.figures]
    assert not set(figures) & set(names)


def _all(value) -> tuple:
    return value if isinstance(value, tuple) else (value,)


def test_lists_are_those_of_the_engine():
    """Attributes, quantities, ways of declustering: all that the engine knows, in its order."""
    from geotools.maps.event_choice import METHODS
    from geotools.seismicity.quantities import QUANTITIES as quantities
    from geotools.terrain.attributes import ATTRIBUTES as attributes

    assert tuple(attributes) == ATTRIBUTES
    assert tuple(quantities) == QUANTITIES
    assert set(METHODS) == set(DECLUSTERING)


def test_learners_and_metrics_are_those_of_training(told):
    """Learners that the help of --learner names; metrics that are computed."""
    from geotools.evaluation.metrics import METRICS as metrics

    help_text = flags_of(told["commands"]["train"])["--learner"]["help"]
    assert ", ".join(LEARNERS) in help_text
    assert set(METRICS) <= set(metrics)
