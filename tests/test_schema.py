"""A dataclass as its own schema."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from geotools.errors import ConfigError
from geotools.schema import build, one_of, within


@dataclass(frozen=True, slots=True, kw_only=True)
class Bird:
    """Something with fields of all kinds."""

    name: str
    legs: int = field(default=2, metadata=within(0, 8))
    weight: float = field(default=1.0, metadata=within(above=0))
    diet: str = field(default="seeds", metadata=one_of("seeds", "fish"))
    flies: bool = True
    calls: tuple[str, ...] = ()
    path: str | tuple[str, ...] | None = None
    eggs: Mapping[str, int] | None = None


def test_values_become_what_the_fields_say():
    """Whole numbers serve for numbers, lists for tuples; what is left out has its default."""
    made = build(
        Bird, {"name": "heron", "weight": 2, "calls": ["kra"], "eggs": {"may": 3}}, "a.toml"
    )
    assert made == Bird(name="heron", weight=2.0, calls=("kra",), eggs={"may": 3})
    assert isinstance(made.weight, float)
    assert build(Bird, {"name": "x", "path": "one"}, "").path == "one"
    assert build(Bird, {"name": "x", "path": ["one", "two"]}, "").path == ("one", "two")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "a.toml lacks the key 'name': give text"),
        ({"name": "x", "leg": 2}, "unknown key 'leg': did you mean 'legs'? Known are name, legs"),
        ({"name": "x", "zzz": 2}, "unknown key 'zzz': known are name"),
        ({"name": 3}, "a.toml: name is 3: give text"),
        ({"name": "x", "legs": "two"}, "legs is 'two': give a whole number"),
        ({"name": "x", "legs": 2.5}, "legs is 2.5: give a whole number"),
        ({"name": "x", "legs": True}, "give a whole number"),
        ({"name": "x", "legs": 9}, "legs is 9: give a number at least 0 and at most 8"),
        ({"name": "x", "weight": 0}, "weight is 0: give a number more than 0"),
        ({"name": "x", "weight": float("nan")}, "weight is nan: give a number more than 0"),
        ({"name": "x", "weight": float("inf")}, "weight is inf"),
        ({"name": "x", "diet": "fisch"}, "did you mean 'fish'? Allowed are seeds, fish"),
        ({"name": "x", "flies": 1}, "flies is 1: give true or false"),
        ({"name": "x", "calls": "kra"}, "calls is 'kra': give a list of text"),
        ({"name": "x", "calls": [1]}, "give a list of text"),
        ({"name": "x", "path": 5}, "path is 5: give text or a list of text"),
        ({"name": "x", "eggs": {"may": "three"}}, "eggs is"),
    ],
)
def test_each_error_names_the_key_and_what_is_allowed(values, words):
    with pytest.raises(ConfigError) as raised:
        build(Bird, values, "a.toml")
    assert words in str(raised.value)
    assert str(raised.value).startswith("a.toml")
    assert "\n" not in str(raised.value)


def test_long_values_are_shortened():
    with pytest.raises(ConfigError) as raised:
        build(Bird, {"name": list(range(10_000))}, "a.toml")
    assert len(str(raised.value)) < 300


def test_what_is_no_table():
    with pytest.raises(ConfigError, match="a table of keys is needed"):
        build(Bird, [1], "a.toml")
