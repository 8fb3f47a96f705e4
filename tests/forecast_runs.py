"""Runs of forecasts with the events that they saw, drawn from one of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
from affine import Affine
from rasterio.crs import CRS

from geotools.evaluation.forecasts import Observed
from geotools.forecast import Forecast
from geotools.grid import Grid
from geotools.raster import Raster

BINS = (3.0, 4.0)


def make_windows(
    windows: int = 60,
    *,
    seed: int = 0,
    left: float = 10.0,
    step_days: int = 5,
    truth: str = "model",
) -> Iterator[tuple[dict[str, Forecast], Observed]]:
    """Windows of `model`, `smoothed` and `uniform` forecasts, events drawn from `truth`."""
    rng = np.random.default_rng(seed)
    grid = Grid(CRS.from_epsg(4326), Affine(0.5, 0, left, 0, -0.5, 48.0), 8, 6)
    region = np.ones(grid.shape, bool)
    region[0, :3] = False
    cells = int(region.sum())
    smoothed = rng.lognormal(0, 1, cells)
    smoothed *= 2.0 / smoothed.sum()
    for number in range(windows):
        start = datetime(2015, 1, 1, tzinfo=UTC) + timedelta(days=number * step_days)
        end = start + timedelta(days=step_days)
        model = smoothed * rng.lognormal(-0.5, 1.0, cells)
        kinds = {"model": model, "smoothed": smoothed, "uniform": np.full(cells, 2.0 / cells)}
        forecasts, drawn = {}, None
        for name, values in kinds.items():
            data = np.zeros((2, *grid.shape))
            data[0, region], data[1, region] = 0.9 * values, 0.1 * values
            raster = Raster(data, region, grid, ("m3", "m4"))
            forecasts[name] = Forecast(raster, start, end, BINS, name)
            if name == truth:
                drawn = rng.poisson(data)
        at_bin, row, col = (
            np.repeat(axis, drawn.ravel()) for axis in np.indices(drawn.shape).reshape(3, -1)
        )
        events = len(row)
        yield (
            forecasts,
            Observed(
                start.timestamp() / 86_400 + rng.uniform(0, step_days, events),
                (left + 0.5 * (col + rng.uniform(0.01, 0.99, events)) + 180) % 360 - 180,
                48.0 - 0.5 * (row + rng.uniform(0.01, 0.99, events)),
                np.array(BINS)[at_bin] + rng.uniform(0, 0.9, events),
            ),
        )
