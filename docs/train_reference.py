"""Writes the tables of docs/train.md from the dataclasses that are the schema: keys, features.

    python docs/train_reference.py

What stands between `<!-- NAME -->` and `<!-- end -->` is replaced; the rest is written by hand. A
test compares the two.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import textwrap
import types
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from geotools.imagery.indices import INDICES
from geotools.terrain.attributes import ATTRIBUTES
from geotools.training import sections
from geotools.training.config import TrainConfig
from geotools.training.learners import settings
from geotools.training.learners.settings import LEARNERS, NetSettings

PAGE = Path(__file__).with_name("train.md")

_TABLES = ("inputs", "labels", "table", "split", "grid", "augment", "learner")
"""Fields of the whole that have a section of their own."""

_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}

_RADII = {"window": "{} cells", "openness": "{} cells", "stencil": "–"}


def tables() -> dict[str, str]:
    """Every table by the name between its marks."""
    made = {"top": _keys(TrainConfig, without=_TABLES)}
    for kind in ("InputConfig", "GridConfig", "LabelsConfig", "TableConfig", "SplitConfig"):
        made[kind] = _keys(getattr(sections, kind))
    made["AugmentConfig"] = _keys(sections.AugmentConfig)
    made["NetSettings"] = _keys(NetSettings)
    shared = tuple(field.name for field in dataclasses.fields(NetSettings))
    for name, kind in LEARNERS.items():
        own = tuple(field.name for field in dataclasses.fields(kind))
        differs = [key for key in own if key not in shared or _default(kind, key) != _shared(key)]
        left_out = tuple(key for key in own if key not in differs)
        made[name] = _keys(kind, without=left_out if issubclass(kind, NetSettings) else ())
    made["terrain"] = _rows(
        ("feature", "unit", "radius", "what it is"),
        [
            (f"`terrain.{item.name}`", item.unit or "–", _RADII[item.kind].format(item.radius),
             item.description)
            for item in ATTRIBUTES.values()
        ],
    )  # fmt: skip
    made["imagery"] = _rows(
        ("feature", "bands", "formula", "shows", "source"),
        [
            (f"`imagery.{item.name}`" + (" *" if item.needs_reflectance else ""),
             ", ".join(item.roles), f"`{item.formula}`", item.description, item.source)
            for item in INDICES.values()
        ],
    )  # fmt: skip
    return made


def filled(page: str) -> str:
    """The page with every table as it is now."""
    for name, table in tables().items():
        mark = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
        page, found = re.subn(
            mark, lambda match, table=table: match[1] + table + match[2], page, flags=re.DOTALL
        )
        if found != 1:
            raise SystemExit(f"{PAGE.name} has {found} places for the table {name}: give it one.")
    return page


def _shared(key: str) -> Any:
    fields = {field.name: field.default for field in dataclasses.fields(NetSettings)}
    return fields.get(key, dataclasses.MISSING)


def _default(kind: type[Any], key: str) -> Any:
    return next(field.default for field in dataclasses.fields(kind) if field.name == key)


def _keys(kind: type[Any], without: tuple[str, ...] = ()) -> str:
    """A table of the keys of a section."""
    hints, words = get_type_hints(kind), _descriptions(kind)
    rows = []
    for field in dataclasses.fields(kind):
        if field.name in without:
            continue
        rows.append(
            (
                f"`{field.name}`",
                _type(hints[field.name]) + _allowed(field.metadata),
                _shown(field),
                words[field.name],
            )
        )
    return _rows(("key", "value", "default", "meaning"), rows)


def _rows(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(one.replace('|', ';') for one in row)} |\n" for row in lines)


def _descriptions(kind: type[Any]) -> dict[str, str]:
    """What stands under each field, those of the classes above included."""
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        if not dataclasses.is_dataclass(one):
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(one)))
        body = tree.body[0].body  # type: ignore[attr-defined]
        for field, text in pairwise(body):
            if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
                words = " ".join(ast.literal_eval(text.value).split())
                found[ast.unparse(field.target)] = _told(words, ast.unparse(field.target))
    return found


def _told(words: str, key: str) -> str:
    """The words, with what they point to written out."""
    pointer = re.match(r"See `(\w+)`(.*)", words) or re.match(r"As `(\w+)`\.()", words)
    if pointer is None:
        return words
    other = getattr(settings, pointer[1], None)
    if other is None:
        return words
    rest = pointer[2].strip(" ;.")
    return _descriptions(other)[key] + (f" {rest[0].upper()}{rest[1:]}." if rest else "")


def _type(hint: Any) -> str:
    return " or ".join(_word(one) for one in _options(hint))


def _options(hint: Any) -> list[Any]:
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    return [one for one in options if one is not type(None)]


def _word(hint: Any) -> str:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is tuple:
        return f"list of {'/'.join(map(_word, _options(inner[0])))}"
    if origin is not None and issubclass(origin, Mapping):
        return f"table of {'/'.join(map(_word, _options(inner[1])))}"
    return _WORDS.get(hint, str(hint))


def _allowed(metadata: Mapping[str, Any]) -> str:
    parts = []
    if metadata.get("choices"):
        parts.append(", ".join(f"`{one}`" for one in metadata["choices"]))
    limits = (
        ("above", "more than {:,.12g}"),
        ("low", "{:,.12g} or more"),
        ("high", "at most {:,.12g}"),
    )
    parts += [
        words.format(metadata[name]) for name, words in limits if metadata.get(name) is not None
    ]
    return f": {', '.join(parts)}" if parts else ""


def _shown(field: dataclasses.Field[Any]) -> str:
    value = field.default
    if value is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
        return "needed"
    if value is None or value is dataclasses.MISSING:
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str):
        return f'`"{value}"`' if value else "–"
    if isinstance(value, tuple):
        listed = ", ".join(f'"{one}"' if isinstance(one, str) else f"{one:g}" for one in value)
        return f"`[{listed}]`"
    return f"`{value:,.12g}`".replace(",", "_")


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
