"""map_events: any earthquake catalog becomes a styled layer of points."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import EventsError
from geotools.io.catalogs import ReadReport, read_catalog
from geotools.io.catalogs.writing import check_events_output, write_events
from geotools.maps.catalogs import origin, tell_of
from geotools.maps.inputs import FilePath, check_paths
from geotools.stream import Progress, Step

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

__all__ = ["EventMap", "EventSelection", "map_events"]


@dataclass(frozen=True, slots=True)
class EventSelection:
    """Which events of a catalog are wanted; all of them by default."""

    min_magnitude: float | None = None
    """Smallest magnitude; events of unknown magnitude are then left out."""
    start: datetime | None = None
    """First moment, in UTC where it has no zone."""
    end: datetime | None = None
    """First moment that is not wanted any more."""
    bbox: tuple[float, float, float, float] | None = None
    """West, south, east, north in degrees; across 180° where west is greater than east."""

    def __post_init__(self) -> None:
        if self.min_magnitude is not None and not np.isfinite(self.min_magnitude):
            raise EventsError(f"The smallest magnitude is {self.min_magnitude}: give a number.")
        if self.start and self.end and _utc(self.start) >= _utc(self.end):
            raise EventsError(
                f"The start {self.start} is not before the end {self.end}: swap them."
            )
        if self.bbox is not None:
            west, south, east, north = self.bbox
            inside = -180 <= west <= 360 and -180 <= east <= 360 and -90 <= south < north <= 90
            if not inside or west == east:
                raise EventsError(
                    f"The box {self.bbox} is not west, south, east, north in degrees, south below "
                    "north: give for example 5 45 11 48."
                )

    def apply(self, events: GeoDataFrame) -> tuple[GeoDataFrame, dict[str, int]]:
        """The wanted events, and how many were left out by which condition."""
        left_out: dict[str, int] = {}
        for reason, unwanted in self._conditions():
            drop = unwanted(events)
            if drop.any():
                left_out[reason] = int(drop.sum())
                events = events[~drop]
        return events.reset_index(drop=True), left_out

    def _conditions(self) -> list[tuple[str, Callable[[GeoDataFrame], NDArray[np.bool_]]]]:
        """A reason and a test of what is not wanted, for each condition that is set."""
        found: list[tuple[str, Callable[[GeoDataFrame], NDArray[np.bool_]]]] = []
        if self.start is not None:
            start = _utc(self.start)
            found.append(("before the start", lambda events: (events["time"] < start).to_numpy()))
        if self.end is not None:
            end = _utc(self.end)
            found.append(("after the end", lambda events: (events["time"] >= end).to_numpy()))
        if self.bbox is not None:
            box = self.bbox
            found.append(("outside the box", lambda events: ~_in_box(events, box)))
        if self.min_magnitude is not None:
            least = self.min_magnitude
            found.append(
                (
                    "smaller, or of unknown magnitude",
                    lambda events: ~(events["magnitude"] >= least).to_numpy(),
                )
            )
        return found


@dataclass(frozen=True, slots=True)
class EventMap:
    """What `map_events` has written."""

    path: Path
    """The file."""
    written: int
    """Events in it."""
    report: ReadReport
    """What came of reading the catalog."""
    left_out: Mapping[str, int]
    """Events that were read and not wanted, by condition."""
    seconds: float
    """Wall time."""


def map_events(
    catalog: FilePath,
    output: FilePath,
    *,
    selection: EventSelection | None = None,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    all_types: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> EventMap:
    """Writes the earthquakes of a catalog as points, drawn by depth and magnitude.

    Args:
        catalog: any file that `read_events` reads.
        output: `.gpkg`, `.parquet`, `.csv` or `.geojson`; as `write_events`.
        selection: which events; all when None.
        format, columns, all_types: as `read_events`.
        overwrite: replace an output that exists.
        progress: called after reading and after writing.
        warn: called with what was left out, and what was put right.

    Raises:
        GeotoolsError: an input, an output or a setting that cannot be; nothing is written then.
    """
    begun = time.monotonic()
    target = check_paths(catalog, [output], overwrite)[0]
    check_events_output(target, overwrite=overwrite)
    tell = warn or (lambda sentence: None)
    step = progress or (lambda step: None)
    events, report = read_catalog(catalog, format=format, columns=columns, all_types=all_types)
    tell_of(report, tell)
    step(Step("events", 1, 2))
    events, left_out = (selection or EventSelection()).apply(events)
    if events.empty:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in left_out.items())
        tell(f"No event is left ({reasons}): the layer is empty.")
    written = write_events(
        target, events, overwrite=overwrite, metadata=_metadata(Path(catalog), report, left_out)
    )
    step(Step("events", 2, 2))
    return EventMap(target, written, report, left_out, time.monotonic() - begun)


def _metadata(catalog: Path, report: ReadReport, left_out: Mapping[str, int]) -> dict[str, str]:
    skipped = {item.reason: item.count for item in report.skipped}
    return {
        **origin(catalog, report),
        "events_left_out": "; ".join(f"{n} {why}" for why, n in {**skipped, **left_out}.items()),
        "notes": " ".join(report.notes),
    }


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _in_box(events: GeoDataFrame, box: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    """(events,) bool."""
    west, south, east, north = box
    longitude, latitude = events["longitude"].to_numpy(), events["latitude"].to_numpy()
    width = east - west if east > west else east - west + 360
    from_west = np.mod(longitude - west, 360)
    inside = (from_west <= width) & (latitude >= south) & (latitude <= north)
    return np.asarray(inside, dtype=bool)
