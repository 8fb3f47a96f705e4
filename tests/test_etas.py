"""Expected aftershocks on a grid."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS

from geotools.errors import ModelError
from geotools.grid import Grid
from geotools.seismicity.etas import (
    GENERIC_ETAS,
    EtasParameters,
    decay_share,
    spatial_shares,
    triggered_rates,
)

GRID = Grid(CRS.from_epsg(4326), Affine(0.1, 0, 10.0, 0, -0.1, 47.0), 61, 51)
REGION = np.ones(GRID.shape, bool)


def test_parameters_come_back_from_their_dictionary():
    assert EtasParameters.from_dict(GENERIC_ETAS.to_dict()) == GENERIC_ETAS


@pytest.mark.parametrize("wrong", [{"k0": 0.0}, {"rho": float("nan")}, {"mref": "3"}, {"a": True}])
def test_parameters_that_cannot_be_are_refused(wrong):
    with pytest.raises(ModelError):
        EtasParameters.from_dict({**GENERIC_ETAS.to_dict(), **wrong})


def test_all_offspring_fall_between_now_and_never():
    np.testing.assert_allclose(decay_share(GENERIC_ETAS, 0, np.inf), 1)


def test_a_small_event_at_the_centre_of_a_cell_is_symmetric_and_keeps_its_share():
    row, col = 25, 30
    shares = spatial_shares(
        GENERIC_ETAS, np.array([13.05]), np.array([44.45]), np.array([3.6]), GRID, REGION
    )
    cells = shares.toarray().reshape(GRID.shape)
    assert cells.argmax() == row * 61 + col
    np.testing.assert_allclose(cells[:, col - 1], cells[:, col + 1], rtol=1e-9)
    assert cells.sum() == pytest.approx(0.99, abs=0.002)


def test_events_after_the_issue_time_change_no_bit():
    rng = np.random.default_rng(1)
    time, lon, lat = rng.uniform(0, 20, 80), rng.uniform(10, 16, 80), rng.uniform(42, 47, 80)
    mag = 3.6 + rng.exponential(0.4, 80)
    window = {"grid": GRID, "region": REGION, "issue_days": 10.0, "horizon_days": 1.0}
    first = triggered_rates(GENERIC_ETAS, time, lon, lat, mag, **window)
    later = time >= 10
    mag[later], lon[later] = rng.permutation(mag[later]) + 2, rng.permutation(lon[later])
    again = triggered_rates(GENERIC_ETAS, time, lon, lat, mag, **window)
    assert (first == again).all()
    assert first.sum() > 0
