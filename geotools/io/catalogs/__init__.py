"""Earthquake catalogs: one file per family of formats, behind one read_events."""

from geotools.io.catalogs.objects import events_from_obspy, events_to_obspy
from geotools.io.catalogs.reading import formats, read_catalog, read_events
from geotools.io.catalogs.report import ReadReport

__all__ = [
    "ReadReport",
    "events_from_obspy",
    "events_to_obspy",
    "formats",
    "read_catalog",
    "read_events",
]
