"""VectorFile, and what its fields say: class or value, group and date of each feature."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import FileError, LabelsError
from geotools.io.tables import numbers, texts
from geotools.training.labels.classes import MAX_CLASSES, in_order, lookup, truth
from geotools.training.labels.dates import days
from geotools.training.labels.unmatched import missing_words, unmatched

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray
    from pandas import Series

    from geotools.training.sections import LabelsConfig

__all__ = ["VectorFile", "groups_of", "targets_of", "times"]

_LISTED = 20


@dataclass(slots=True)
class VectorFile:
    """A vector file, read once for all scenes."""

    name: str
    frame: GeoDataFrame
    first: int
    """Number of its first feature among those of all files."""
    mended: int
    """Features whose geometry was repaired."""
    odd: list[str] = dataclass_field(default_factory=list)
    """Sentences on its values."""


def _column(one: VectorFile, field: str, key: str) -> Series:
    """A field of the features.

    Raises:
        LabelsError: it is not there.
    """
    there = [str(name) for name in one.frame.columns if name != one.frame.geometry.name]
    if field not in there:
        near = [name for name in there if name.lower() == field.lower()]
        near = near or difflib.get_close_matches(field, there, 1)
        hint = f"did you mean {near[0]!r}? It" if near else "it"
        listed = ", ".join(there[:_LISTED]) + (", …" if len(there) > _LISTED else "")
        raise LabelsError(
            f"{one.name} has no field {field!r}, which labels.{key} names: {hint} has "
            f"{listed or 'none'}."
        )
    return one.frame[field]


def targets_of(
    labels: LabelsConfig, one: VectorFile, field: str | None, names: list[str], values: bool
) -> tuple[NDArray[Any], int]:
    """(n,) class or value of each feature, and how many have none; new names are added."""
    count = len(one.frame)
    if field is None and labels.class_name is not None and not values:
        if labels.class_name not in names:
            names.append(labels.class_name)
        return np.full(count, names.index(labels.class_name), np.int32), 0
    if field is None:
        there = ", ".join(name for name in one.frame.columns if name != one.frame.geometry.name)
        what = "value" if values else "class"
        also = "" if values else ", or what all features are with labels.class_name"
        raise LabelsError(
            f"{one.name}: which field holds the {what} is not said: name it with labels.field "
            f"(there is {there or 'none'}){also}."
        )
    column = _column(one, field, "field")
    if values:
        try:
            found = numbers(column, one.name).astype(np.float32)
        except FileError as error:
            raise LabelsError(str(error)) from None
        return found, int(np.count_nonzero(~np.isfinite(found)))
    words = texts(column)
    without = int(sum(word is None for word in words))
    if labels.classes is not None:
        words, meaning = _matched(words, labels.classes)
    else:
        meaning = {word: word for word in set(words) if word is not None}
        if len(meaning) > MAX_CLASSES:
            raise LabelsError(
                f"{one.name}: the field {field!r} has {len(meaning)} different values, at most "
                f'{MAX_CLASSES} classes can be mapped: for quantities set task = "regression", '
                "else merge them with labels.classes."
            )
        names.extend(name for name in sorted(meaning) if name not in names)
    number = {word: names.index(name) for word, name in meaning.items()}
    target = np.array([number.get(word, -2) for word in words], np.int32)
    if (target < 0).all():
        values_there = sorted({word for word in words if word is not None})
        more = ", …" if len(values_there) > _LISTED else ""
        listed = ", ".join(values_there[:_LISTED]) + more
        raise LabelsError(
            f"{one.name}: no feature has a class: the field {field!r} has {listed or 'no value'}, "
            f"labels.classes asks for {', '.join(number) or 'any'}."
        )
    met = {word for word in words if word is not None}
    if labels.classes is not None:
        one.odd += unmatched(one.name, "feature", meaning, met, None)
    else:
        one.odd += missing_words(one.name, f"the field {field!r}", met)
    return target, without


def _matched(
    words: NDArray[np.object_], classes: Mapping[str, Any]
) -> tuple[NDArray[np.object_], dict[str, str]]:
    """The values and the class of each; of true and false however either side writes them, since
    a field of these comes as 1 and 0 from a file where some are missing.
    """
    meaning = lookup(classes)
    there = {word for word in words if word is not None}
    if not any(truth(word) for word in (*there, *meaning) if not word.isdigit()):
        return words, meaning
    if not all(truth(word) for word in (*there, *meaning)):
        return words, meaning
    plain = [None if word is None else truth(word) for word in words]
    return np.array(plain, dtype=object), {str(truth(word)): meaning[word] for word in meaning}


def groups_of(
    labels: LabelsConfig, files: Sequence[VectorFile]
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Group of each feature of all files, and the names of the groups when a field has them."""
    if labels.group is None:
        return np.arange(sum(len(one.frame) for one in files), dtype=np.int32), ()
    words = np.concatenate([texts(_column(one, labels.group, "group")) for one in files])
    groups = in_order(sorted({word for word in words if word is not None}))
    number = {name: index for index, name in enumerate(groups)}
    return np.array([number.get(word, -1) for word in words], np.int32), tuple(groups)


def times(labels: LabelsConfig, one: VectorFile) -> NDArray[np.float64]:
    """(features,) days since 1970-01-01 UTC."""
    if labels.time is None:
        return np.full(len(one.frame), np.nan)
    return days(_column(one, labels.time, "time"), one.name)
