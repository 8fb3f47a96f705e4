"""ObsPy as the other reader: its values, and the files that its wheel brings for its own tests."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import numpy as np
import pytest


def obspy_file(family: str, name: str) -> Path:
    """A file of `obspy/io/FAMILY/tests/data`."""
    found = importlib.util.find_spec("obspy")
    assert found is not None
    assert found.origin is not None
    path = Path(found.origin).parent / "io" / family / "tests" / "data" / name
    if not path.is_file():
        pytest.skip(f"ObsPy was installed without {path.name}")
    return path


def by_obspy(path: Path, format: str) -> dict[str, tuple]:
    """What ObsPy has for each event that has a time and a place."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import obspy

        catalog = obspy.read_events(str(path), format=format)
        found = {}
        for item in catalog:
            origin = item.preferred_origin() or next(iter(item.origins), None)
            size = item.preferred_magnitude() or next(iter(item.magnitudes), None)
            if origin is None or None in (origin.time, origin.longitude, origin.latitude):
                continue
            found[str(item.resource_id)] = (
                np.datetime64(origin.time.datetime, "us"),
                origin.longitude,
                origin.latitude,
                np.nan if origin.depth is None else origin.depth / 1000,
                np.nan if size is None or size.mag is None else size.mag,
                (size and size.magnitude_type) or "",
                str(item.event_type or ""),
            )
    return found


def as_tuples(events) -> dict[str, tuple]:
    """The same of an event table."""
    times = events["time"].dt.tz_localize(None).to_numpy("datetime64[us]")
    names = ["longitude", "latitude", "depth_km", "magnitude", "magnitude_type", "event_type"]
    rows = zip(times, *(events[name] for name in names), strict=True)
    return dict(zip(events["event_id"], rows, strict=True))
