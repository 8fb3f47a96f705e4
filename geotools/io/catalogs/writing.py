"""write_events: the event table as GeoPackage, GeoParquet, CSV or GeoJSON, by the file's ending.

All of them are read back by read_events. Times have microseconds, in a GeoPackage milliseconds,
which is what its standard knows.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import FileError, MissingExtraError
from geotools.events import COLUMNS, check_events
from geotools.io.atomic import check_output, write_atomic
from geotools.io.catalogs.own import GUARDED
from geotools.io.geopackage import check_layer, write_layer
from geotools.io.pointstyle import events_qml

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

__all__ = ["LAYER", "check_events_output", "write_events"]

LAYER = "events"
"""Name of the layer in a GeoPackage."""

_TEXTS = ("magnitude_type", "event_id", "event_type")
_ROWS = 50_000
"""Rows of GeoJSON at a time."""


def write_events(
    path: str | os.PathLike[str],
    events: GeoDataFrame,
    *,
    overwrite: bool = False,
    metadata: Mapping[str, str] | None = None,
) -> int:
    """The number of events written; the file is then complete.

    Args:
        path: `.gpkg` (layer `events`, drawn by depth and magnitude, other layers are kept),
            `.parquet`, `.csv` (texts that a spreadsheet would run get an apostrophe) or
            `.geojson`.
        events: the event table.
        overwrite: replace the layer, or the file.
        metadata: stored with the layer of a GeoPackage.

    Raises:
        EventsError: not an event table.
        FileError: another ending; the file exists, or cannot be written.
        MissingExtraError: `.parquet` without pyarrow.
    """
    target = check_events_output(path, overwrite=overwrite)
    table = check_events(events)
    table = table[[*COLUMNS, table.geometry.name]]
    if target.suffix.lower() == ".gpkg":
        return write_layer(
            target,
            table,
            layer=LAYER,
            overwrite=overwrite,
            style=events_qml(),
            metadata=metadata,
            geometry_type="Point",
            method="events",
        )
    write = _WRITERS[target.suffix.lower()]
    with write_atomic(target, overwrite=overwrite, verify=_verifier(table)) as temporary:
        write(temporary, table)
    return len(table)


def check_events_output(path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """The path of a file of events that may be written, before any work is done.

    Raises:
        FileError, MissingExtraError: as `write_events`.
    """
    target = check_output(path, overwrite=overwrite)
    ending = target.suffix.lower()
    if ending == ".gpkg":
        check_layer(target, LAYER, overwrite=overwrite)
    elif ending not in _WRITERS:
        raise FileError(
            f"{target} ends neither in .gpkg nor in {', '.join(_WRITERS)}: name a file that does."
        )
    if ending == ".parquet":
        _check_pyarrow()
    return target


def _check_pyarrow() -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise MissingExtraError("pyarrow", "parquet") from None


def _write_parquet(path: Path, table: GeoDataFrame) -> None:
    plain = table.copy()
    plain.attrs = {}
    plain.to_parquet(path, index=False)


def _write_csv(path: Path, table: GeoDataFrame) -> None:
    _as_texts(table).to_csv(path, index=False, lineterminator="\n", encoding="utf-8")


def _write_geojson(path: Path, table: GeoDataFrame) -> None:
    """RFC 7946; the depth is a property, since the third coordinate would be a height."""
    plain = _as_texts(table, guarded=False).astype(object)
    plain = plain.where(table[list(COLUMNS)].notna(), None)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for start in range(0, len(plain), _ROWS):
            rows = plain.iloc[start : start + _ROWS].to_dict("records")
            lines = ",\n".join(json.dumps(_feature(row), ensure_ascii=False) for row in rows)
            file.write(("\n" if start == 0 else ",\n") + lines)
        file.write("\n]}\n")


def _feature(row: dict[str, Any]) -> dict[str, Any]:
    place = [row.pop("longitude"), row.pop("latitude")]
    return {
        "type": "Feature",
        "id": row["event_id"] or None,
        "geometry": {"type": "Point", "coordinates": place},
        "properties": row,
    }


def _as_texts(table: GeoDataFrame, *, guarded: bool = True) -> DataFrame:
    """The columns with times as text; texts on one line, and harmless in spreadsheets."""
    import pandas as pd

    plain = pd.DataFrame({name: table[name] for name in COLUMNS})
    times = table["time"].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]")
    plain["time"] = np.char.add(np.datetime_as_string(times, unit="us"), "Z")
    for name in _TEXTS if guarded else ():
        words = {text: _guarded(text) for text in plain[name].unique()}
        plain[name] = plain[name].map(words)
    return plain


def _guarded(text: str) -> str:
    text = "".join(" " if char in "\r\n\0" else char for char in text)
    return f"'{text}" if text.startswith(GUARDED) else text


def _verifier(table: GeoDataFrame) -> Callable[[Path], None]:
    """Raises when the closed file does not hold as many events as were written."""

    def verify(path: Path) -> None:
        if path.suffix.lower() == ".parquet":
            import pyarrow.parquet as pq

            found = pq.read_metadata(path).num_rows
        else:
            with path.open("rb") as file:
                found = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(2**20), b""))
            found -= 1 if path.suffix.lower() == ".csv" else 2  # lines that hold no event
        if found != len(table):
            raise FileError(f"{path} holds {found} events, written were {len(table)}: try again.")

    return verify


_WRITERS: Mapping[str, Callable[[Path, GeoDataFrame], None]] = {
    ".parquet": _write_parquet,
    ".csv": _write_csv,
    ".geojson": _write_geojson,
}
