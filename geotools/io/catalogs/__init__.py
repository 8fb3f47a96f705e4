"""Earthquake catalogs: one file per family of formats, behind one read_events."""

from geotools.io.catalogs.reading import read_catalog, read_events
from geotools.io.catalogs.report import ReadReport

__all__ = ["ReadReport", "read_catalog", "read_events"]
