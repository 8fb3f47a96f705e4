"""What all formats have in common: which events are left out, which values are put right.

Everything that happens here is counted or noted, so that the report says it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import EventsError
from geotools.events import COLUMNS, event_table
from geotools.io.catalogs.formats import Columns
from geotools.io.catalogs.report import Tally

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

__all__ = ["EARTHQUAKE", "OTHER_TYPE", "tidied"]

EARTHQUAKE = frozenset({"", "earthquake", "not reported", "unknown"})
"""Event types (QuakeML 1.2, type EventType) that are kept when not all are."""

OTHER_TYPE = "event type"
"""How the reason begins for events of another type."""

_NOTHING = {"null": "not reported", "none": "", "nan": "", "-": "", "n/a": ""}
"""What some agencies write for a type that they do not know; `null` as ObsPy takes it."""

_FIRST, _LAST = np.datetime64("0001-01-01", "us"), np.datetime64("9999-12-31", "us")
"""Years that files can hold (ISO 8601)."""

_DEEPEST_KM = 1000.0
"""The deepest earthquakes lie at about 750 km (Tonga 2004, NEIC: 735 km)."""
_HIGHEST_KM = 9.0
"""No ground is higher: what is above it is a depth with its sign turned."""
_MAGNITUDES = (-9.0, 11.0)
"""Between these: -9 and 99 mean unknown; the largest earthquake had 9.5."""

_DAY = np.timedelta64(1, "D")

_UNWRITABLE = re.compile("[\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f\\ud800-\\udfff]")
"""Control signs but the tab, and halves of signs of UTF-16."""

_MOST_TYPES = 10
"""So many other types are counted one by one."""


def tidied(columns: Columns, tally: Tally, *, all_types: bool) -> GeoDataFrame:
    """The event table of what a format has read.

    Raises:
        EventsError: columns of different lengths.
    """
    rows = _Rows(columns, tally)
    rows.drop(np.isnat(rows.time), "no time")
    rows.drop((rows.time < _FIRST) | (rows.time > _LAST), "year outside 1 to 9999")
    rows.drop(~(np.isfinite(rows.longitude) & np.isfinite(rows.latitude)), "no place")
    rows.drop(
        (np.abs(rows.latitude) > 90) | (rows.longitude < -180) | (rows.longitude > 360),
        "impossible place",
    )
    if not all_types:
        _keep_earthquakes(rows)
    _drop_repeated(rows)
    rows.values["depth_km"] = _depths(rows.values["depth_km"], tally)
    rows.values["magnitude"] = _magnitudes(rows.values["magnitude"], tally)
    future = int((rows.time > np.datetime64("now")).sum())
    if future:
        tally.note(f"Events with times in the future: {future:,}.")
    return event_table(**{name: rows.values[name] for name in COLUMNS})


class _Rows:
    """The columns while rows are left out."""

    def __init__(self, columns: Columns, tally: Tally) -> None:
        self.tally = tally
        time = np.asarray(columns["time"]).astype("datetime64[us]")
        count = len(time)
        self.values: dict[str, Any] = {"time": time}
        for name in ("longitude", "latitude", "depth_km", "magnitude"):
            given = columns.get(name)
            self.values[name] = (
                np.full(count, np.nan) if given is None else np.array(given, dtype=np.float64)
            )
        for name in ("magnitude_type", "event_id", "event_type"):
            given = columns.get(name)
            self.values[name] = np.full(count, "", object) if given is None else _texts(given)
        line = columns.get("line")
        self.values["line"] = np.zeros(count, np.int64) if line is None else np.asarray(line)
        for name, values in self.values.items():
            if len(values) != count:
                raise EventsError(f"{name} has {len(values)} values, time {count}.")
        self.values["event_type"] = _types(self.values["event_type"])

    @property
    def time(self) -> NDArray[np.datetime64]:
        """(events,) datetime64[us]."""
        return self.values["time"]  # type: ignore[no-any-return]

    @property
    def longitude(self) -> NDArray[np.float64]:
        """(events,) degrees."""
        return self.values["longitude"]  # type: ignore[no-any-return]

    @property
    def latitude(self) -> NDArray[np.float64]:
        """(events,) degrees."""
        return self.values["latitude"]  # type: ignore[no-any-return]

    def drop(self, unwanted: NDArray[np.bool_], reason: str) -> None:
        """Leaves rows out and counts them."""
        if not unwanted.any():
            return
        first = int(np.flatnonzero(unwanted)[0])
        self.tally.skip(reason, self.where(first), int(unwanted.sum()))
        self.keep(~unwanted)

    def keep(self, wanted: NDArray[np.bool_]) -> None:
        """Leaves the others out, without a word."""
        self.values = {name: values[wanted] for name, values in self.values.items()}

    def where(self, row: int) -> str:
        """Line and id of a row, as far as they are known."""
        line, name = int(self.values["line"][row]), self.values["event_id"][row]
        if line > 0 and name:
            return f"line {line} ({name})"
        return f"line {line}" if line > 0 else name


def _texts(given: Any) -> NDArray[np.object_]:
    """(rows,) texts, "" for None and NaN; without signs that no file of text can hold."""
    from pandas.api.types import infer_dtype

    values = np.asarray(given, dtype=object)
    if infer_dtype(values, skipna=False) not in ("string", "empty"):
        texts = [value if isinstance(value, str) else _as_text(value) for value in values]
        values = np.array(texts, dtype=object)
    if _UNWRITABLE.search("".join(values)):
        values = np.array([_UNWRITABLE.sub("\ufffd", value) for value in values], dtype=object)
    return values


def _as_text(value: Any) -> str:
    return "" if value is None or value != value else str(value)


def _types(values: NDArray[np.object_]) -> NDArray[np.object_]:
    """Event types in the words of QuakeML: lower case, spaces; "" where there is none."""
    words = {}
    for value in set(values):
        word = " ".join(value.strip().lower().replace("_", " ").split())
        words[value] = _NOTHING.get(word, word)
    return np.array([words[value] for value in values], dtype=object)


def _keep_earthquakes(rows: _Rows) -> None:
    """Leaves out what is called something else, and counts the most frequent types one by one."""
    import pandas as pd

    codes, kinds = pd.factorize(rows.values["event_type"])
    _, first, counts = np.unique(codes, return_index=True, return_counts=True)
    other = np.array([kind not in EARTHQUAKE for kind in kinds], dtype=bool)
    ranked = sorted(np.flatnonzero(other), key=lambda code: -counts[code])
    for place, code in enumerate(ranked):
        reason = f"{OTHER_TYPE} {kinds[code]}" if place < _MOST_TYPES else f"{OTHER_TYPE}, others"
        rows.tally.skip(reason, rows.where(int(first[code])), int(counts[code]))
    rows.keep(~other[codes])


def _drop_repeated(rows: _Rows) -> None:
    """Leaves out what stands in the file a second time; the first is kept.

    The same id within a day is one event, revised; further apart it is a number that some
    catalogs use again, and both are kept. Rows without id are repeated when all columns are equal
    and their time is finer than a minute: several events of one minute are no repetition.
    """
    import pandas as pd

    ids = pd.Series(rows.values["event_id"])
    named = (ids != "").to_numpy()
    again = ids.duplicated().to_numpy() & named
    if again.any():
        first = pd.Series(rows.time).groupby(ids.to_numpy(), sort=False).transform("first")
        far = again & (np.abs(rows.time - first.to_numpy()) > _DAY)
        _note_kept(rows, far, "another one more than a day away has their id")
        again &= ~far
    if not named.all():
        frame = pd.DataFrame({name: rows.values[name] for name in COLUMNS})
        equal = frame.duplicated().to_numpy() & ~named
        coarse = rows.time == rows.time.astype("datetime64[m]")
        _note_kept(rows, equal & coarse, "they equal another one, with times to the minute")
        again |= equal & ~coarse
    rows.drop(again, "repeated event")


def _note_kept(rows: _Rows, kept: NDArray[np.bool_], what: str) -> None:
    if kept.any():
        rows.tally.note(f"Events kept although {what}: {int(kept.sum()):,}.")


def _depths(depth: NDArray[np.float64], tally: Tally) -> NDArray[np.float64]:
    """Depths in km, positive down; NaN for those that cannot be."""
    depth = np.where(np.isfinite(depth), depth, np.nan)
    known = depth[np.isfinite(depth) & (depth != 0)]
    if not known.size:
        return depth
    if np.median(np.abs(known)) > _DEEPEST_KM:
        tally.note("Depths were metres and are now kilometres.")
        depth, known = depth / 1000, known / 1000
    if np.median(known) < 0:
        if known.min() < -_HIGHEST_KM:
            tally.note("Depths were negative downwards and are now positive.")
            depth = -depth
        else:
            tally.note("Most depths are negative: they are taken as heights above sea level.")
    depth = depth + 0.0  # no negative zero
    wrong = (depth > _DEEPEST_KM) | (depth < -_HIGHEST_KM)
    if wrong.any():
        tally.note(f"Depths that are impossible and count as unknown: {int(wrong.sum()):,}.")
        depth = np.where(wrong, np.nan, depth)
    return depth


def _magnitudes(magnitude: NDArray[np.float64], tally: Tally) -> NDArray[np.float64]:
    """Magnitudes; NaN for those that cannot be."""
    magnitude = np.where(np.isfinite(magnitude), magnitude, np.nan)
    low, high = _MAGNITUDES
    wrong = (magnitude <= low) | (magnitude >= high)
    if wrong.any():
        tally.note(f"Magnitudes that are impossible and count as unknown: {int(wrong.sum()):,}.")
        magnitude = np.where(wrong, np.nan, magnitude)
    return magnitude
