"""The text formats in the order in which they are tried: those with a signature before tables."""

from __future__ import annotations

from geotools.io.catalogs import agencies, california, hypodd, isc, jma, zmap
from geotools.io.catalogs.formats import Format
from geotools.io.catalogs.table import CSV, USGS, mapped

__all__ = ["FORMATS", "mapped"]

FORMATS: tuple[Format, ...] = (
    USGS,
    *agencies.FORMATS,
    *isc.FORMATS,
    *california.FORMATS,
    *jma.FORMATS,
    *hypodd.FORMATS,
    *zmap.FORMATS,
    CSV,
)
"""All of them; a file is of the first that recognises it."""
