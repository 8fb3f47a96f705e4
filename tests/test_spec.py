"""geotools.spec."""

import dataclasses
import json

import pytest

from geotools.errors import ModelError
from geotools.spec import ClassInfo, InputInfo, ModelSpec, OutputInfo


def make_spec(**changes: object) -> ModelSpec:
    values = {
        "name": "tiny", "version": "1", "task": "semantic-segmentation", "description": "Tiny.",
        "inputs": (InputInfo("elevation", "raster", ("elevation",), "m"),),
        "outputs": (OutputInfo("p", "probabilities", (ClassInfo(1, "a <b>", "#ff0000"),)),),
        "cell_size_m": (5.0, 100.0), "halo": 7, "parameters": {"search": 10},
    }  # fmt: skip
    return ModelSpec(**{**values, **changes})


def test_round_trip():
    """A spec comes back from its JSON as it was."""
    spec = make_spec()
    assert ModelSpec.from_json(spec.to_json()) == spec
    assert spec.bands == ("elevation",)
    assert spec.classes[0].rgb == (255, 0, 0)


OPTIONAL = ("sources", "features")
"""Keys that older models have not."""


@pytest.mark.parametrize("key", [item.name for item in dataclasses.fields(ModelSpec)])
def test_every_key_is_needed_and_checked(key):
    """A missing key and a key of a wrong type are errors that name it or its value."""
    body = json.loads(make_spec().to_json())
    del body[key]
    if key in OPTIONAL:
        assert getattr(ModelSpec.from_json(json.dumps(body)), key) == ()
    else:
        with pytest.raises(ModelError, match=key):
            ModelSpec.from_json(json.dumps(body))
    body[key] = 5 if key not in ("tile", "halo", "stride_multiple") else "many"
    with pytest.raises(ModelError):
        ModelSpec.from_json(json.dumps(body))


@pytest.mark.parametrize("text", ["", "[]", "nul", "{}", '{"schema_version": 2}', "[" * 100_000])
def test_what_is_no_spec(text):
    """Anything else is refused in one sentence."""
    with pytest.raises(ModelError):
        ModelSpec.from_json(text)


def test_unknown_keys_are_told():
    """A key that this version does not know is an error, not ignored."""
    body = json.loads(make_spec().to_json())
    body["haloo"] = 3
    with pytest.raises(ModelError, match="haloo"):
        ModelSpec.from_json(json.dumps(body))


@pytest.mark.parametrize(
    "changes",
    [
        {"cell_size_m": (0.0, 1.0)},
        {"cell_size_m": (9.0, 1.0)},
        {"tile": 0},
        {"halo": -1},
        {"inputs": ()},
    ],
)
def test_spec_refuses_nonsense(changes):
    """Numbers that cannot be are refused at birth."""
    with pytest.raises(ModelError):
        make_spec(**changes)


def test_class_refuses_nonsense():
    """Codes are 1 to 254, colours #rrggbb, codes unique."""
    with pytest.raises(ModelError):
        ClassInfo(0, "a", "#000000")
    with pytest.raises(ModelError):
        ClassInfo(1, "a", "red")
    with pytest.raises(ModelError, match="twice"):
        OutputInfo("p", "probabilities", tuple(ClassInfo(1, name, "#000000") for name in "ab"))
