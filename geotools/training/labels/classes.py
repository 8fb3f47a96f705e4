"""Classes: which value of a label is which class, and what colour it has.

Values are compared as text, whole numbers without a decimal point: 2, 2.0 and "2" are one value.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Mapping, Sequence

from geotools.errors import ConfigError, LabelsError
from geotools.spec import ClassInfo

__all__ = [
    "FEWEST",
    "MAX_CLASSES",
    "as_text",
    "check_counts",
    "class_infos",
    "in_order",
    "lookup",
    "truth",
]

MAX_CLASSES = 254
"""Codes of a class raster: 1 to 254."""
_LISTED = 20
"""Classes that a sentence lists at most."""
FEWEST = 10
"""Labelled cells that a class needs: with fewer, a score is a matter of single cells."""

_PALETTE = (
    "#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bb5500", "#99ddbb",
    "#332288", "#ddaa99", "#117733", "#882255", "#eedd88", "#77aadd", "#aaaa00", "#555555",
)  # fmt: skip
"""Told apart by people who do not see red and green as others do: hues of Paul Tol's qualitative
schemes (SRON/EPS/TN/09-002, 2021), ordered so that neighbours differ in lightness too."""
_BACKGROUND = "#dddddd"
_TRUTHS = {"true": "True", "1": "True", "false": "False", "0": "False"}


def as_text(value: str | bool | int | float) -> str:
    """A code as text."""
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    return str(value).strip()


def truth(text: str) -> str | None:
    """`True` or `False` for what may be written for them; None for any other text."""
    return _TRUTHS.get(text.lower())


def lookup(
    classes: Mapping[str, str | bool | int | float | tuple[str | bool | int | float, ...]],
) -> dict[str, str]:
    """Name of the class by value, from the configuration's classes.

    Raises:
        ConfigError: a value that is two classes.
    """
    found: dict[str, str] = {}
    for name, codes in classes.items():
        for code in codes if isinstance(codes, tuple) else (codes,):
            text = as_text(code)
            if found.get(text, name) != name:
                raise ConfigError(
                    f"labels.classes: {text} is {found[text]!r} and {name!r}: give it to one."
                )
            found[text] = name
    return found


def in_order(names: Sequence[str]) -> list[str]:
    """Names sorted: as numbers when all are, else as text."""
    number = re.compile(r"-?\d+(\.\d+)?$")
    if all(number.match(name) for name in names):
        return sorted(names, key=float)
    return sorted(names)


def class_infos(
    names: Sequence[str],
    colors: Mapping[str, str] | None = None,
    *,
    found: Mapping[str, str] | None = None,
    background: str | None = None,
) -> tuple[ClassInfo, ...]:
    """The classes with codes 1, 2, … in this order.

    Args:
        names: names of the classes.
        colors: colours of the configuration, by name.
        found: colours that the labels' own file gives, by name.
        background: name of the class that is drawn in pale grey.

    Raises:
        LabelsError: more than 254 classes.
        ConfigError: a colour for a class that is none, or that is no colour.
    """
    if len(names) > MAX_CLASSES:
        raise LabelsError(
            f"The labels have {len(names)} classes, at most {MAX_CLASSES} can be mapped: for "
            'quantities set task = "regression", else merge classes with labels.classes.'
        )
    for name, color in (colors or {}).items():
        if name not in names:
            raise ConfigError(
                f"labels.colors names {name!r}, which is no class: there are {', '.join(names)}."
            )
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
            raise ConfigError(f"labels.colors: {name} is {color!r}: give #rrggbb.")
    given = {**(found or {}), **(colors or {})}
    infos, drawn = [], 0
    for code, name in enumerate(names, 1):
        if name in given:
            color = given[name]
        elif name == background:
            color = _BACKGROUND
        else:
            color = _color(drawn)
            drawn += 1
        infos.append(ClassInfo(code, name, color))
    return tuple(infos)


def _color(number: int) -> str:
    """The colour of a class by its number from 0: the palette, then hues by the golden angle."""
    if number < len(_PALETTE):
        return _PALETTE[number]
    hue = (number * 0.6180339887) % 1.0  # the golden ratio: no two of the first 254 are alike
    light = (0.35, 0.65, 0.5, 0.8)[number % 4]
    parts = colorsys.hls_to_rgb(hue, light, 0.55 + 0.3 * (number % 3 == 0))
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def fold_colors(folds: int) -> list[str]:
    """Colours for the folds of a split."""
    return [_color(number) for number in range(folds)]


def check_counts(
    classes: Sequence[ClassInfo],
    counts: Sequence[int],
    unit: str = "cells",
    *,
    background: str | None = None,
) -> None:
    """Nothing, when there are two classes or more and each has enough cells.

    Args:
        classes: the classes.
        counts: labelled cells of each.
        unit: what these are, in the plural.
        background: name of the class that is what no label covers.

    Raises:
        LabelsError: one class, or one with fewer than 10 cells.
    """
    if len(classes) < 2:
        name = classes[0].name if classes else "nothing"
        raise LabelsError(
            f"The labels have one class only, {name!r}: label another, or name what is outside "
            "with labels.background."
        )
    few: list[tuple[str, int]] = []
    for info, count in zip(classes, counts, strict=True):
        if count < FEWEST and info.name == background:
            raise LabelsError(
                f"The background {background!r} has {count} {unit} outside of all labels, needed "
                f"are {FEWEST}: give rasters, or a labels.mask, that reach beyond the labels, or "
                "leave out labels.background."
            )
        if count < FEWEST:
            few.append((info.name, count))
    if len(few) == 1:
        raise LabelsError(
            f"The class {few[0][0]!r} has {few[0][1]} labelled {unit}, needed are {FEWEST}: label "
            "more, or merge it with another or leave it out in labels.classes."
        )
    if few:
        listed = ", ".join(f"{name!r} {count}" for name, count in few[:_LISTED])
        more = f" and {len(few) - _LISTED} more" if len(few) > _LISTED else ""
        raise LabelsError(
            f"{len(few)} classes have fewer than {FEWEST} labelled {unit}, {listed}{more}: label "
            "more, or merge them with others or leave them out in labels.classes."
        )
