"""unmatched, missing_words: sentences on values of labels that may not be what was meant."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from geotools.training.labels.classes import in_order

__all__ = ["missing_words", "unmatched"]

_LISTED = 8
"""Values that a sentence lists at most."""

_MISSING = {"nan", "none", "null", "na", "n/a", "<na>", "nodata"}
"""Texts that often stand for a missing value, in lower case."""


def unmatched(
    name: str,
    what: str,
    meaning: Mapping[str, str],
    found: Collection[str],
    other: str | None,
) -> list[str]:
    """Sentences on values of labels.classes that are nowhere, and on values that it does not list.

    Args:
        name: of the file.
        what: is labelled: cell, or feature.
        meaning: class by value.
        found: values that the file has.
        other: what values that are not listed do; they label nothing when None.
    """
    nowhere = [value for value in meaning if value not in found]
    beside = [value for value in found if value not in meaning]
    told = []
    if nowhere and len(nowhere) < len(meaning):
        told.append(
            f"{name}: labels.classes lists {_listed(nowhere)}, which no {what} has: check it."
        )
    if beside and len(nowhere) < len(meaning):
        told.append(
            f"{name}: {_listed(beside)} {'is' if len(beside) == 1 else 'are'} in no class of "
            f"labels.classes; the {what}s that have {'it' if len(beside) == 1 else 'them'} "
            f"{other or 'label nothing'}."
        )
    return told


def missing_words(name: str, key: str, words: Iterable[str]) -> list[str]:
    """A sentence on texts that are classes and look like missing values; none without such.

    Args:
        name: of the file.
        key: what holds them, such as the field.
        words: names of the classes.
    """
    odd = sorted({word for word in words if word.lower() in _MISSING})
    if not odd:
        return []
    one = len(odd) == 1
    return [
        f"{name}: {key} has the text{'' if one else 's'} {', '.join(map(repr, odd))}, which "
        f"{'is' if one else 'are'} learned as {'a class' if one else 'classes'}: if "
        f"{'it stands' if one else 'they stand'} for missing values, empty these fields."
    ]


def _listed(values: Collection[str]) -> str:
    shown = in_order(sorted(values))
    more = f" and {len(shown) - _LISTED} more" if len(shown) > _LISTED else ""
    return ", ".join(shown[:_LISTED]) + more
