"""Names of outputs: templates with fields, filled and reduced to letters that every system takes.

Fields come from file names, catalogs and tables of others, so that nothing in them is a path.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Mapping

from geotools.errors import ConfigError

__all__ = ["check_template", "filled", "slug", "stem_of"]

_LONGEST = 120
"""Letters; endings and temporary names need some of the 200 bytes that outputs may have."""

_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that Windows keeps for devices."""

_PACKED = (".zip", ".gz")
_WIDTH = re.compile(r"0?[1-9]")


def check_template(template: str, where: str) -> None:
    """Nothing, when the template can be filled.

    Raises:
        ConfigError: a folder in it, a field that is no plain name, a brace that is left open.
    """
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ConfigError(f"{where} is {template!r} ({error}): close every brace.") from None
    if not template.strip() or any(set(literal) & set("/\\:\0") for literal, *_ in parts):
        raise ConfigError(
            f"{where} is {template!r}: give a file name without folders, such as "
            '"{stem}_landforms.tif".'
        )
    for _, name, spec, conversion in parts:
        if name is None:
            continue
        if not name or set(name) & set(".[]{}!") or conversion:
            raise ConfigError(f"{where} has the field {{{name}}}: give a plain name, as {{stem}}.")
        if spec and (name != "index" or not _WIDTH.fullmatch(spec)):
            raise ConfigError(
                f"{where} has {{{name}:{spec}}}: only index takes a width, as {{index:03}}."
            )


def filled(template: str, values: Mapping[str, str | int], of: str) -> str:
    """The name of one output, without its ending.

    Args:
        template: as `check_template` lets pass.
        values: what the fields are.
        of: the input, for messages.

    Raises:
        ConfigError: a field that this input does not have.
    """
    text = ""
    for literal, name, spec, _ in string.Formatter().parse(template):
        text += literal
        if name is None:
            continue
        if name not in values:
            raise ConfigError(
                f"name has {{{name}}}, which the input {of} does not have: known are "
                f"{', '.join(values)}."
            )
        text += format(values[name], spec or "")
    if text.lower().endswith((".tif", ".tiff")):
        text = text[: text.rindex(".")]
    return slug(text)


def slug(text: str) -> str:
    """The text as a file name of A-Z, a-z, 0-9, `.`, `_` and `-`, never empty nor a path."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    # What has no plain letter is told apart by nothing: two such names are refused as one.
    made = re.sub(r"[^A-Za-z0-9._-]+", "-", plain)
    made = re.sub(r"\.{2,}", ".", made).strip(".-")[:_LONGEST].rstrip(".-")
    if not made or _RESERVED.fullmatch(made):
        made = f"_{made}"
    return made


def stem_of(path: str) -> str:
    """The file's name without its endings: `N41E001` of `dem/N41E001.hgt.zip`."""
    name = re.split(r"[/\\]", path.rstrip("/\\"))[-1]
    for ending in _PACKED:
        if name.lower().endswith(ending) and len(name) > len(ending):
            name = name[: -len(ending)]
    stem, dot, _ = name.rpartition(".")
    return stem if dot and stem else name
