"""Factories of backbones and of the events that their features are made from."""

import dataclasses

import numpy as np

from geotools.seismicity.backbone import Backbone, lonlat_grid
from geotools.seismicity.etas import GENERIC_ETAS

ISSUE = 9000.0
BANDS = (1.0, 3.0, 10.0, 30.0, 100.0, 365.0, 1095.0, 3650.0)


def make_backbone(rows=12, cols=14, **changes) -> Backbone:
    """A region with a corner cut out, rates that differ from cell to cell."""
    region = np.ones((rows, cols), dtype=bool)
    region[:3, :4] = False
    rates = np.random.default_rng(0).uniform(1e-4, 1e-3, (rows, cols)) * region
    grid = lonlat_grid(-120.0, 37.0, (0.1, 0.1), (rows, cols))
    etas = GENERIC_ETAS.at(3.0)
    made = Backbone("test", grid, region, 3.0, 1.0, etas, 0.4 * rates, rates, (15.0, 50.0), BANDS)
    return dataclasses.replace(made, **changes)


def make_events(count=600, *, seed=0, west=-120.3, north=37.3, width=2.0, height=1.8):
    """Time, longitude, latitude, magnitude: some outside the region, below mc, and unknown."""
    rng = np.random.default_rng(seed)
    time = ISSUE - 10 ** rng.uniform(-2, 3.9, count) * rng.choice([1, 1, 1, -0.1], count)
    longitude = rng.uniform(west, west + width, count)
    latitude = rng.uniform(north - height, north, count)
    magnitude = 2.8 + rng.exponential(0.43, count)
    magnitude[::50] = np.nan
    return time, longitude, latitude, magnitude
