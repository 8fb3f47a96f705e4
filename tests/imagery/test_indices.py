"""geotools.imagery.indices: band indices."""

import numpy as np
import pytest

from geotools.errors import RasterError
from geotools.imagery.indices import INDICES, ROLES, index

PIXEL = {"blue": 0.04, "green": 0.08, "red": 0.06, "rededge": 0.15, "nir": 0.42, "swir1": 0.2,
         "swir2": 0.1, "thermal": 295.0}  # fmt: skip

BY_HAND = {
    "ndvi": 0.36 / 0.48, "gndvi": 0.34 / 0.5, "ndre": 0.27 / 0.57,
    "evi": 2.5 * 0.36 / (0.42 + 0.36 - 0.3 + 1), "evi2": 2.5 * 0.36 / (0.42 + 0.144 + 1),
    "savi": 1.5 * 0.36 / 0.98, "msavi": (1.84 - np.sqrt(1.84**2 - 2.88)) / 2,
    "ndwi": -0.34 / 0.5, "mndwi": -0.12 / 0.28, "ndmi": 0.22 / 0.62, "nbr": 0.32 / 0.52,
    "ndsi": -0.12 / 0.28, "ndbi": -0.22 / 0.62, "bsi": (0.26 - 0.46) / (0.26 + 0.46),
    "clay": 2.0, "iron_oxide": 1.5, "ferrous": 0.2 / 0.42,
    "brightness": np.sqrt((0.0016 + 0.0064 + 0.0036 + 0.1764) / 4),
}  # fmt: skip


def bands(**changed):
    return {role: np.full((2, 3), value) for role, value in {**PIXEL, **changed}.items()}


@pytest.mark.parametrize("name", INDICES)
def test_every_index_is_its_formula(name):
    """One pixel by hand; float32 of the bands' shape; its words name its bands and a paper."""
    result = index(name, bands())
    assert result.dtype == np.float32
    assert np.allclose(result, BY_HAND[name])
    item = INDICES[name]
    assert set(item.roles) <= set(ROLES)
    assert all(role in item.formula for role in item.roles)
    assert any(character.isdigit() for character in item.source)


@pytest.mark.parametrize("name", [n for n, i in INDICES.items() if not i.needs_reflectance])
def test_any_proportional_unit_will_do(name):
    """Ratios do not change with the unit; brightness grows with it."""
    stored = index(name, {role: band * 10_000 for role, band in bands().items()})
    assert np.allclose(stored, index(name, bands()) * (10_000 if name == "brightness" else 1))


@pytest.mark.parametrize("name", [n for n, i in INDICES.items() if i.needs_reflectance])
def test_those_with_constants_need_reflectance(name):
    """Stored numbers give another value, which is why the table says so."""
    stored = index(name, {role: band * 10_000 for role, band in bands().items()})
    assert not np.allclose(stored, index(name, bands()), rtol=1e-3)


def test_what_is_undefined_is_nan():
    """0 / 0, 1 / 0, the root of less than nothing and missing bands are NaN, and no warning."""
    zero = bands(nir=0, red=0)
    assert np.isnan(index("ndvi", zero)).all()
    assert np.isnan(index("clay", bands(swir2=0))).all()
    assert np.isnan(index("ndvi", bands(red=np.nan))).all()
    assert np.isnan(index("msavi", bands(nir=0.5, red=-0.5))).all()


def test_whole_numbers_do_not_overflow():
    """Bytes are counted in as numbers, not as bytes."""
    scene = {"nir": np.array([[200]], np.uint8), "red": np.array([[100]], np.uint8)}
    assert index("ndvi", scene).item() == pytest.approx(1 / 3)


def test_missing_bands_and_unknown_names_are_said():
    """One sentence with what is there to choose."""
    with pytest.raises(RasterError, match="ndvi needs the bands nir, red: nir is not there"):
        index("ndvi", {"red": np.ones((1, 1))})
    with pytest.raises(RasterError, match="'nvdi' is unknown: use ndvi"):
        index("nvdi", bands())
