"""Science of elevation, arrays in and arrays out: terrain attributes and geomorphons.

No file is opened here, and numba is imported only when a kernel that needs it is first called.
"""

from geotools.terrain.geomorphons import FORMS, geomorphons, reach, search_unit

__all__ = ["FORMS", "geomorphons", "reach", "search_unit"]
