"""Forecast: rates with their place, window and magnitude bins."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from affine import Affine

from geotools.errors import EventsError
from geotools.forecast import Forecast, utc
from geotools.grid import Grid
from geotools.io.geotiff import parse_crs
from geotools.raster import Raster

START = datetime(2020, 1, 1, tzinfo=UTC)


def forecast(rates=((1.0, 2.0), (0.1, 0.2)), magnitudes=(4.0, 5.0), **changed):
    data = np.array(rates).reshape(len(rates), 1, -1)
    grid = Grid(parse_crs("EPSG:4326"), Affine(1, 0, 0, 0, -1, 0), data.shape[2], 1)
    bands = tuple(f"m{index}" for index in range(len(rates)))
    raster = Raster(data, np.array([[True] * (data.shape[2] - 1) + [False]]), grid, bands)
    parts = {"start": START, "end": START + timedelta(days=7), "name": "test"} | changed
    return Forecast(raster, magnitudes=magnitudes, **parts)


def test_at_least_sums_the_bins_above():
    assert forecast().at_least(4.0) == pytest.approx(np.array([[1.1, 2.2]]))
    assert forecast().at_least(5.0) == pytest.approx(np.array([[0.1, 0.2]]))
    with pytest.raises(EventsError, match=r"4\.5"):
        forecast().at_least(4.5)


def test_the_total_counts_the_region_alone():
    assert forecast().total == pytest.approx(1.1)
    assert forecast().horizon_days == 7


@pytest.mark.parametrize(
    "changed",
    [
        {"start": datetime(2020, 1, 1)},
        {"end": START},
        {"magnitudes": (5.0, 4.0)},
        {"magnitudes": (4.0,)},
        {"rates": ((-1.0, 0.0), (0.0, 0.0))},
        {"rates": ((np.nan, 0.0), (0.0, 0.0))},
    ],
)
def test_what_cannot_be_is_refused(changed):
    with pytest.raises(EventsError):
        forecast(**changed)


def test_moments_without_a_zone_are_utc():
    assert utc(datetime(2020, 1, 1)) == START
