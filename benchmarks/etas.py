"""The ETAS fit: how long, how near to known parameters, and its scores on Californian events.

    python benchmarks/etas.py --catalogs FOLDER [--events 2500 5000 10000]

FOLDER holds california_comcat_m32_1971_2020.csv and california_comcat_m32_etas_scores.csv; without
it, only simulated catalogs are fitted. Times are wall and CPU seconds of one run each with two
threads, after a small fit that compiles the loops.
"""

from __future__ import annotations

import argparse
import csv
import resource
import time
from pathlib import Path

import numpy as np
from affine import Affine
from rasterio.crs import CRS

from geotools.events import days
from geotools.grid import Grid
from geotools.seismicity.etas import EtasParameters, TriggeringField
from geotools.seismicity.etas_fit import fit_etas
from geotools.seismicity.etas_likelihood import etas_log_likelihood
from geotools.seismicity.etas_simulate import simulate_etas
from geotools.seismicity.smoothing import neighbour_km, smoothed_density, smoothed_rates

GRID = Grid(CRS.from_epsg(4326), Affine(0.5, 0, 5.0, 0, -0.5, 50.0), 20, 20)
KNOWN = EtasParameters(
    k0=0.002, a=1.8, c_days=0.005, omega=0.05, tau_days=2000.0, d_km2=0.5, gamma=1.1, rho=0.6,
    mref=3.0, b_value=1.0, magnitude_max=7.5,
)  # fmt: skip
RATE = 1.0
CALIFORNIA = Grid(CRS.from_epsg(4326), Affine(0.1, 0, -126.0, 0, -0.1, 43.5), 135, 125)
CORNERS = (
    (-125.7, 43.5), (-118.5, 43.5), (-118.5, 39.7), (-113.6, 36.1), (-112.6, 34.6),
    (-112.6, 34.3), (-113.1, 32.7), (-113.2, 31.8), (-114.5, 31.2), (-117.1, 31.0),
    (-117.4, 31.1), (-118.3, 31.5), (-118.8, 32.4), (-121.3, 33.3), (-122.0, 34.0),
    (-124.3, 37.5), (-125.9, 40.0), (-125.9, 40.5), (-125.7, 43.0),
)  # fmt: skip
"""The collection region of California that the published scores were computed in."""
AREA_KM2 = 959_822.96


def simulated(count: int, seed: int = 1):
    end = count / (RATE / (1 - KNOWN.branching_ratio()))
    return simulate_etas(
        KNOWN, start_days=0, end_days=end, background_rate_per_day=RATE, grid=GRID,
        region=np.ones(GRID.shape, bool), seed=seed,
    ), end  # fmt: skip


def fits(counts: list[int]) -> None:
    truth = f"n (true {KNOWN.branching_ratio():.3f})  background/day (true {RATE})"
    print(f"\nevents  targets  steps  wall s  CPU s | {truth}")
    for count in [400, *counts]:
        catalog, end = simulated(count)
        cpu = time.process_time()
        fit = fit_etas(
            catalog.time_days, catalog.longitude, catalog.latitude, catalog.magnitude, mc=3.0,
            start_days=0.1 * end, end_days=end, grid=GRID, region=np.ones(GRID.shape, bool),
            magnitude_max=7.5,
        )  # fmt: skip
        cpu = time.process_time() - cpu
        if count == 400:
            continue
        print(
            f"{fit.sources:6d}  {fit.targets:7d}  {fit.iterations:5d}  {fit.seconds:6.1f}  "
            f"{cpu:5.1f} | {fit.parameters.branching_ratio():.3f}  "
            f"{fit.background_rate_per_day:.3f}"
        )
    truth, found = KNOWN.to_dict(), fit.parameters.to_dict()
    print("of the largest: " + ", ".join(f"{k} {found[k]:.4g} ({truth[k]:.4g})" for k in truth))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of the process {peak:.0f} MiB")


def columns(path: Path, *names: str) -> list[np.ndarray]:
    with path.open() as file:
        rows = list(csv.DictReader(file))
    return [np.array([row[name] for row in rows]) for name in names]


def california(folder: Path) -> None:
    from shapely import Polygon, contains_xy

    path = folder / "california_comcat_m32_1971_2020.csv"
    when, *numbers = columns(path, "time", "longitude", "latitude", "magnitude")
    events = (days(when.astype("datetime64[us]")), *(values.astype(float) for values in numbers))
    moment = {y: float(days(np.datetime64(f"{y}-01-01", "us"))) for y in (1981, 2007, 2020)}
    row, col = np.indices(CALIFORNIA.shape)
    region = contains_xy(Polygon(CORNERS), -126 + 0.1 * (col + 0.5), 43.5 - 0.1 * (row + 0.5))
    published = columns(folder / "california_comcat_m32_etas_scores.csv", "TLL", "SLL")
    print("\nCalifornia, M >= 3.2, fit 1981-2006, scores of 2007 to 2020-01-17 in nats per event")
    temporal, spatial = (values.astype(float).mean() for values in published)
    print(f"{'published':30} temporal {temporal:.4f}  spatial {spatial:.4f}")
    for background in ("uniform", "smoothed"):
        fit = fit_etas(
            *events, mc=3.15, start_days=moment[1981], end_days=moment[2007], grid=CALIFORNIA,
            region=region, background=background,
        )  # fmt: skip
        density = np.full(len(when), 1 / AREA_KM2)
        chance = fit.background_probability
        target = np.isfinite(chance)
        lon, lat = events[1][target], events[2][target]
        if background == "smoothed":
            density = (
                0.01 / AREA_KM2
                + 0.99
                * smoothed_density(
                    lon,
                    lat,
                    width_km=neighbour_km(lon, lat),
                    weights=chance[target],
                    at=events[1:3],
                )
                / chance[target].sum()
            )
        scores = etas_log_likelihood(
            fit.parameters, *events, start_days=moment[2007], end_days=moment[2020] + 16,
            background_rate_per_day=fit.background_rate_per_day, background_density=density,
        )  # fmt: skip
        print(
            f"{background + ' background':30} temporal {scores.temporal.mean():.4f}  "
            f"spatial {scores.spatial.mean():.4f}  ({fit.targets} targets, {fit.sources} sources, "
            f"{fit.iterations} steps, {fit.seconds:.1f} s)"
        )
        found = fit.parameters.to_dict()
        print("  " + ", ".join(f"{name} {value:.4g}" for name, value in found.items()))
        print(
            f"  branching ratio {fit.parameters.branching_ratio():.3f}, background "
            f"{fit.background_rate_per_day:.3f} a day"
        )
    began = time.process_time()
    smoothed_rates(lon, lat, CALIFORNIA, region, weights=chance[target])
    print(f"smoothed on {region.sum()} cells: {time.process_time() - began:.2f} CPU s")
    for widened in (False, True):
        began = time.process_time()
        field = TriggeringField(
            fit.parameters, *events, grid=CALIFORNIA, region=region, widened=widened
        )
        field.expected(moment[2007], 1.0)
        made = time.process_time() - began
        began = time.process_time()
        for day in range(50):
            field.expected(moment[2007] + day, 1.0)
        each = (time.process_time() - began) / 50 * 1000
        print(
            f"field of {len(when)} events, widened {widened}: {made:.1f} CPU s, then {each:.1f} "
            f"CPU ms a day ({field.shares.nnz / 1e6:.1f} million shares)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--catalogs", type=Path, help="folder of the Californian files")
    parser.add_argument("--events", type=int, nargs="*", default=[2500, 5000, 10_000])
    options = parser.parse_args()
    fits(options.events)
    if options.catalogs:
        california(options.catalogs)


if __name__ == "__main__":
    main()
