"""Band indices: their table, and `index`, which computes one; arrays in and arrays out.

Bands are called by their role, whatever the sensor: blue, green, red, rededge, nir, swir1 (about
1.6 um), swir2 (about 2.2 um), thermal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import RasterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["INDICES", "ROLES", "Index", "index"]

ROLES = ("blue", "green", "red", "rededge", "nir", "swir1", "swir2", "thermal")
"""What a band may stand for."""


@dataclass(frozen=True, slots=True)
class Index:
    """One index of bands."""

    name: str
    """Name in features: `imagery.NAME`."""
    roles: tuple[str, ...]
    """The bands it takes, in the order of the formula."""
    formula: str
    """How it is computed."""
    source: str
    """Who proposed it."""
    description: str
    """What it shows."""
    compute: Callable[..., Array]
    """The formula: arrays in the order of the roles."""
    needs_reflectance: bool = False
    """The formula has constants, so bands must be reflectances from 0 to 1; others take any unit
    that is proportional to reflectance."""


def _normalized(a: Array, b: Array) -> Array:
    return (a - b) / (a + b)


def _evi(blue: Array, red: Array, nir: Array) -> Array:
    return 2.5 * (nir - red) / (nir + 6 * red - 7.5 * blue + 1)


def _evi2(red: Array, nir: Array) -> Array:
    return 2.5 * (nir - red) / (nir + 2.4 * red + 1)


def _savi(red: Array, nir: Array) -> Array:
    return 1.5 * (nir - red) / (nir + red + 0.5)


def _msavi(red: Array, nir: Array) -> Array:
    return (2 * nir + 1 - np.sqrt((2 * nir + 1) ** 2 - 8 * (nir - red))) / 2


def _bsi(blue: Array, red: Array, nir: Array, swir1: Array) -> Array:
    return _normalized(swir1 + red, nir + blue)


def _brightness(blue: Array, green: Array, red: Array, nir: Array) -> Array:
    return np.sqrt((blue**2 + green**2 + red**2 + nir**2) / 4)


def _ratio(a: Array, b: Array) -> Array:
    return a / b


_TABLE = (
    Index(
        "ndvi", ("nir", "red"), "(nir - red) / (nir + red)", "Rouse et al. 1974",
        "green vegetation", _normalized,
    ),
    Index(
        "gndvi", ("nir", "green"), "(nir - green) / (nir + green)", "Gitelson et al. 1996",
        "chlorophyll, where ndvi saturates", _normalized,
    ),
    Index(
        "ndre", ("nir", "rededge"), "(nir - rededge) / (nir + rededge)", "Barnes et al. 2000",
        "chlorophyll of dense canopies", _normalized,
    ),
    Index(
        "evi", ("blue", "red", "nir"), "2.5 (nir - red) / (nir + 6 red - 7.5 blue + 1)",
        "Huete et al. 2002", "vegetation, less soil and haze", _evi, needs_reflectance=True,
    ),
    Index(
        "evi2", ("red", "nir"), "2.5 (nir - red) / (nir + 2.4 red + 1)", "Jiang et al. 2008",
        "evi without a blue band", _evi2, needs_reflectance=True,
    ),
    Index(
        "savi", ("red", "nir"), "1.5 (nir - red) / (nir + red + 0.5)", "Huete 1988",
        "vegetation over bright soil", _savi, needs_reflectance=True,
    ),
    Index(
        "msavi", ("red", "nir"), "(2 nir + 1 - sqrt((2 nir + 1)^2 - 8 (nir - red))) / 2",
        "Qi et al. 1994, MSAVI2", "savi that sets its own soil factor", _msavi,
        needs_reflectance=True,
    ),
    Index(
        "ndwi", ("green", "nir"), "(green - nir) / (green + nir)", "McFeeters 1996",
        "open water", _normalized,
    ),
    Index(
        "mndwi", ("green", "swir1"), "(green - swir1) / (green + swir1)", "Xu 2006",
        "open water beside buildings", _normalized,
    ),
    Index(
        "ndmi", ("nir", "swir1"), "(nir - swir1) / (nir + swir1)",
        "Hardisky et al. 1983; Gao 1996 as NDWI", "water in leaves", _normalized,
    ),
    Index(
        "nbr", ("nir", "swir2"), "(nir - swir2) / (nir + swir2)",
        "Lopez Garcia & Caselles 1991; Key & Benson 2006", "burnt ground", _normalized,
    ),
    Index(
        "ndsi", ("green", "swir1"), "(green - swir1) / (green + swir1)", "Hall et al. 1995",
        "snow and ice", _normalized,
    ),
    Index(
        "ndbi", ("swir1", "nir"), "(swir1 - nir) / (swir1 + nir)", "Zha et al. 2003",
        "built-up ground", _normalized,
    ),
    Index(
        "bsi", ("blue", "red", "nir", "swir1"),
        "((swir1 + red) - (nir + blue)) / ((swir1 + red) + (nir + blue))", "Rikimaru et al. 2002",
        "bare soil", _bsi,
    ),
    Index(
        "clay", ("swir1", "swir2"), "swir1 / swir2", "Drury 1987",
        "clay and other minerals with hydroxyl", _ratio,
    ),
    Index(
        "iron_oxide", ("red", "blue"), "red / blue", "Segal 1982", "iron oxides", _ratio,
    ),
    Index(
        "ferrous", ("swir1", "nir"), "swir1 / nir", "Segal 1982", "ferrous minerals", _ratio,
    ),
    Index(
        "brightness", ("blue", "green", "red", "nir"),
        "sqrt((blue^2 + green^2 + red^2 + nir^2) / 4)", "Escadafal & Bacha 1996, with blue",
        "brightness of soil, in the unit of the bands", _brightness,
    ),
)  # fmt: skip

INDICES: dict[str, Index] = {item.name: item for item in _TABLE}
"""Every index by its name."""


def index(name: str, bands: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    """The index as float32 of the bands' shape; NaN where it is undefined, as 0 / 0 is.

    Args:
        name: key of `INDICES`.
        bands: role -> array, all of one shape; NaN where invalid. For evi, evi2, savi and msavi
            reflectances from 0 to 1; for the others any unit proportional to reflectance.

    Raises:
        RasterError: an unknown index, or a band that it needs is not there.
    """
    if name not in INDICES:
        raise RasterError(f"Index {name!r} is unknown: use {', '.join(INDICES)}.")
    item = INDICES[name]
    missing = [role for role in item.roles if role not in bands]
    if missing:
        raise RasterError(
            f"Index {name} needs the bands {', '.join(item.roles)}: {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not there."
        )
    arrays = [np.asarray(bands[role], np.float64) for role in item.roles]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        result = item.compute(*arrays).astype(np.float32)
    result[~np.isfinite(result)] = np.nan
    return result
