"""Between rasters and vectors: polygons from a class raster."""

from geotools.convert.polygonize import polygonize

__all__ = ["polygonize"]
