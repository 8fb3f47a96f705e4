"""Codes: which class each code of a label raster is; no pixels and no files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import LabelsError
from geotools.training.labels.classes import MAX_CLASSES, as_text, lookup
from geotools.training.labels.unmatched import unmatched

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.training.sections import LabelsConfig

__all__ = ["Codes"]

_LISTED = 4
"""Values that a sentence lists."""
_MOST = _LISTED + 1
"""Values beside 0 that are kept to tell a mask from other rasters."""
_OF_A_MASK = 2
"""Values of a mask: 0, and what is inside."""


class Codes:
    """Which number of a class each code has; codes that are met for the first time get one."""

    def __init__(self, labels: LabelsConfig, called: dict[int, str], name: str) -> None:
        self._name = name
        self._meaning = None if labels.classes is None else lookup(labels.classes)
        self._only = labels.class_name if labels.classes is None else None
        self.names: list[str] = list(labels.classes or ())
        if self._only is not None:
            self.names.append(self._only)
        self._background = labels.background
        # With a background, all that is not listed is it.
        self._other = -2 if labels.background is None else -1
        self._known: dict[float, int] = {}
        words = list(called.values())
        self._called = {
            code: word if words.count(word) == 1 else f"{word} ({code})"
            for code, word in called.items()
        }
        self.met: set[str] = set()
        """Codes that were met, as text."""
        # Of the one class: a few of its values, and which of them is none of it.
        self._few: NDArray[np.generic] | None = None
        self._outside: float | None = None

    @property
    def knows_enough(self) -> bool:
        """True when `look` has nothing more to tell."""
        return self._only is None or (
            self._few is not None and len(self._few) > _MOST and 0 in self._few
        )

    def look(self, values: NDArray[np.generic]) -> None:
        """Takes note of values before any gets a number."""
        found = np.unique(values if self._few is None else np.r_[self._few, values])
        some = found[: _MOST + 1]
        self._few = np.r_[some, found[found == 0]] if 0 not in some else some

    def check(self) -> None:
        """Nothing, when all has been looked at and it can be told what the one class is.

        Raises:
            LabelsError: a raster with 0 and several other values, all under the name of one class.
        """
        if self._few is None or 0 not in self._few or len(self._few) == 1:
            return
        if len(self._few) > _OF_A_MASK:
            some = [as_text(float(value)) for value in self._few if value != 0]
            more = ", …" if len(some) > _LISTED else ""
            raise LabelsError(
                f"{self._name} holds 0 and {', '.join(some[:_LISTED])}{more}, and which of them "
                f"are {self._only!r} is not said: name them in place of class_name, as in "
                f"labels.classes = {{ {_key(self._only)} = {some[0]} }}, or say with labels.nodata "
                "= 0 that all but 0 are."
            )
        self._outside = 0.0

    def numbers(self, values: NDArray[np.generic]) -> NDArray[np.int32]:
        """(n,) number of the class of each code, -1 for those that are unlabelled and -2 for those
        that are none and no background either.
        """
        if self._only is not None:
            if self._outside is None:
                return np.zeros(len(values), np.int32)
            return np.where(values == self._outside, -1, 0).astype(np.int32)
        if values.dtype == np.uint8:
            codes = np.flatnonzero(np.bincount(values, minlength=256)).astype(np.uint8)
            place = np.searchsorted(codes, np.arange(256))[values]
        else:
            codes, place = np.unique(values, return_inverse=True)
        new = [code for code in codes[: MAX_CLASSES * 8].tolist() if code not in self._known]
        for code in new:
            self._known[code] = self._number(float(code))
        if len(codes) > MAX_CLASSES * 8 or len(self.names) > MAX_CLASSES:
            raise LabelsError(
                f"{self._name} holds more than {MAX_CLASSES} different values, as many classes as "
                'can be mapped: for quantities set task = "regression", else name the codes with '
                "labels.classes."
            )
        table = np.array([self._known[code] for code in codes.tolist()], np.int32)
        return np.asarray(table[place.reshape(-1)])

    def _number(self, code: float) -> int:
        text = as_text(code)
        self.met.add(text)
        if self._meaning is not None:
            name = self._meaning.get(text)
            return self._other if name is None else self.names.index(name)
        if not code.is_integer():
            raise LabelsError(
                f"{self._name} holds {code:g}, which is no code of a class: for quantities set "
                'task = "regression".'
            )
        name = self._called.get(int(code), text)
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)

    def learned(self, code: float) -> bool:
        """True when a code that nobody named is a class, or part of one."""
        text = as_text(code)
        if self._only is not None:
            return code != self._outside
        if self._meaning is not None:
            return text not in self._meaning and self._background is not None
        return not code.is_integer() or int(code) not in self._called

    def remarks(self) -> list[str]:
        """Sentences on codes and classes that did not meet."""
        if self._meaning is None:
            return []
        other = self._background and f"become {self._background!r}"
        # 0 beside the codes of classes is the background of most rasters.
        found = self.met - {"0"} if other and "0" not in self._meaning else self.met
        return unmatched(self._name, "cell", self._meaning, found, other)

    def colors(self, found: dict[int, str]) -> dict[str, str]:
        """Colours by name of the class."""
        if self._meaning is not None:
            pairs = ((self._meaning.get(str(code)), color) for code, color in found.items())
            return {name: color for name, color in pairs if name is not None}
        return {self._called.get(code, str(code)): color for code, color in found.items()}


def _key(name: str | None) -> str:
    """A name as a key of TOML."""
    text = str(name)
    bare = text.replace("_", "").replace("-", "")
    return text if bare.isascii() and bare.isalnum() else repr(text)
