"""geotools.batch.names: templates and slugs."""

import re

import pytest

from geotools.batch.names import check_template, filled, slug, stem_of
from geotools.errors import ConfigError


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "../../etc/passwd", "/vsimem/x", "C:\\x", "a\0b", "CON", "nul.tif", "com1.x.y",
     "é" * 300, "=1+1", "-rf", ".hidden", "日本", "a/../b", " \t", "x" * 300, "...x..."],
)  # fmt: skip
def test_any_text_becomes_one_plain_name(text):
    """Letters, digits, `.`, `_`, `-`; neither a path nor hidden, a flag, or a device of Windows."""
    made = slug(text)
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,130}", made)
    assert ".." not in made
    assert not re.fullmatch(r"(con|nul|com1)(\..*)?", made, re.IGNORECASE)


def test_names_that_are_plain_stay():
    """What needs no change has none."""
    assert slug("N41E001_landforms.v2-b") == "N41E001_landforms.v2-b"
    assert slug("Hintereisferner, Ötztal") == "Hintereisferner-Otztal"


def test_templates_are_filled():
    """Fields by name, a width for the number, an ending or none."""
    values = {"stem": "N41E001", "index": 7, "site name": "Old Man/2"}
    assert filled("{stem}_landforms.tif", values, "x") == "N41E001_landforms"
    assert filled("{index:03}_{site name}", values, "x") == "007_Old-Man-2"


@pytest.mark.parametrize(
    ("template", "words"),
    [("out/{stem}", "without folders"), ("", "file name"), ("{stem", "close every brace"),
     ("{stem.real}", "plain name"), ("{0[a]}", "plain name"), ("{}", "plain name"),
     ("{stem!r}", "plain name"), ("{stem:>99999999}", "only index"), ("{index:9999}", "only index"),
     ("{index:{stem}}", "only index")],
)  # fmt: skip
def test_templates_that_are_refused(template, words):
    """Folders, attributes, items, conversions and widths without end."""
    with pytest.raises(ConfigError, match=words):
        check_template(template, "a.toml: name")


def test_a_field_that_an_input_lacks_is_named():
    """The message has the field, the input and what is known."""
    with pytest.raises(ConfigError, match=r"\{date\}.* a\.tif .*: known are stem, index"):
        filled("{date}", {"stem": "a", "index": 1}, "a.tif")


@pytest.mark.parametrize(
    ("path", "stem"),
    [("dem/N41E001.hgt.zip", "N41E001"), ("a.b.tif", "a.b"), ("folder/grid/", "grid"),
     (".hidden", ".hidden"), ("c.csv.gz", "c"), (".zip", ".zip")],
)  # fmt: skip
def test_stems_are_without_endings(path, stem):
    """One ending, and that of an archive before it."""
    assert stem_of(path) == stem
