"""The fit, the simulation and the likelihood of the ETAS model."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS

from geotools.errors import EventsError
from geotools.events import days
from geotools.grid import Grid
from geotools.seismicity.etas import EtasParameters, decay_share
from geotools.seismicity.etas_fit import fit_etas
from geotools.seismicity.etas_likelihood import etas_log_likelihood
from geotools.seismicity.etas_simulate import simulate_etas

GRID = Grid(CRS.from_epsg(4326), Affine(0.5, 0, 5.0, 0, -0.5, 50.0), 20, 20)
REGION = np.ones(GRID.shape, bool)
AREA_KM2 = 840_000.0
KNOWN = EtasParameters(
    k0=0.002, a=1.8, c_days=0.005, omega=0.05, tau_days=2000.0, d_km2=0.5, gamma=1.1, rho=0.6,
    mref=3.0, b_value=1.0, magnitude_max=7.5,
)  # fmt: skip
PUBLISHED = EtasParameters(
    k0=10**-2.6129889610322277, a=1.6547511368283472, c_days=10**-2.972318433285155,
    omega=-0.057548015931714415, tau_days=10**3.8374012631989136, d_km2=10**-0.5529013969522358,
    gamma=1.1704682023073658, rho=0.49991945712612057, mref=3.2,
    b_value=2.3175815807408053 / math.log(10), magnitude_max=8.0,
)  # fmt: skip
"""The fit of the package etas to 1981-2006 that the published scores were computed with."""


def simulated(seed: int, end: float = 3000.0, rate: float = 0.7):
    return simulate_etas(
        KNOWN, start_days=0, end_days=end, background_rate_per_day=rate, grid=GRID, region=REGION,
        seed=seed,
    )  # fmt: skip


def columns(catalog) -> tuple[np.ndarray, ...]:
    return catalog.time_days, catalog.longitude, catalog.latitude, catalog.magnitude


def test_a_simulated_catalog_is_what_was_asked_for():
    catalog = simulated(3)
    assert (simulated(3).time_days == catalog.time_days).all()
    assert (np.diff(catalog.time_days) >= 0).all()
    assert catalog.time_days[0] >= 0
    assert catalog.time_days[-1] < 3000
    assert catalog.magnitude.min() >= 3
    assert catalog.magnitude.max() < 7.5
    background = catalog.generation == 0
    assert background.sum() == pytest.approx(2100, abs=4 * math.sqrt(2100))
    excess = float((catalog.magnitude - 3).mean())
    assert excess == pytest.approx(1 / KNOWN.beta, rel=4 / math.sqrt(len(background)))


def test_direct_offspring_have_the_numbers_and_times_of_the_kernel():
    big = (np.array([-5.0]), np.array([10.0]), np.array([45.0]), np.array([7.0]))
    catalog = simulate_etas(
        KNOWN, start_days=0, end_days=50, background_rate_per_day=0, grid=GRID, region=REGION,
        history=big,
    )  # fmt: skip
    direct = catalog.generation == 1
    expected = float(KNOWN.productivity(7.0) * decay_share(KNOWN, 5, 55))
    assert direct.sum() == pytest.approx(expected, abs=4 * math.sqrt(expected))
    early = float(np.mean(catalog.time_days[direct] < 10))
    share = float(decay_share(KNOWN, 5, 15) / decay_share(KNOWN, 5, 55))
    assert early == pytest.approx(share, abs=4 * math.sqrt(share / expected))


def test_sequences_without_end_are_refused():
    with pytest.raises(EventsError, match="no end"):
        simulate_etas(
            EtasParameters(**{**KNOWN.to_dict(), "k0": 0.01}), start_days=0, end_days=1,
            background_rate_per_day=1, grid=GRID, region=REGION,
        )  # fmt: skip
    with pytest.raises(EventsError, match="background"):
        simulated(1, rate=1e9)
    with pytest.raises(EventsError):
        simulated(1, end=-1)
    with pytest.raises(EventsError, match="more than"):
        simulate_etas(
            KNOWN, start_days=0, end_days=100, background_rate_per_day=10, grid=GRID,
            region=REGION, largest=1020,
        )  # fmt: skip


def test_the_fit_finds_the_parameters_of_a_simulation():
    """Known parameters come back within their scatter at 3,000 events, whatever the order."""
    catalog = simulated(1)
    mixed = np.random.default_rng(0).permutation(len(catalog.time_days))
    fit = fit_etas(
        *(values[mixed] for values in columns(catalog)), mc=3.0, start_days=500, end_days=3000,
        grid=GRID, region=REGION, magnitude_max=7.5,
    )  # fmt: skip
    found = fit.parameters
    assert fit.converged
    assert found.branching_ratio() == pytest.approx(KNOWN.branching_ratio(), abs=0.08)
    assert fit.background_rate_per_day == pytest.approx(0.7, rel=0.12)
    assert found.alpha == pytest.approx(KNOWN.alpha, abs=0.25)
    assert found.b_value == pytest.approx(1, abs=0.06)
    assert found.omega == pytest.approx(0.05, abs=0.1)
    assert found.gamma == pytest.approx(1.1, abs=0.3)
    assert found.rho == pytest.approx(0.6, abs=0.12)
    assert math.log10(found.c_days / 0.005) == pytest.approx(0, abs=0.35)
    assert math.log10(found.d_km2 / 0.5) == pytest.approx(0, abs=0.3)
    # Background events are known apart from offspring.
    chance = fit.background_probability
    truth = (catalog.generation == 0)[mixed]
    target = np.isfinite(chance)
    assert (target == (catalog.time_days >= 500)[mixed] & inside(catalog, mixed)).all()
    assert chance[target & truth].mean() > 0.85
    assert chance[target & ~truth].mean() < 0.35


def inside(catalog, mixed) -> np.ndarray:
    lon, lat = catalog.longitude[mixed], catalog.latitude[mixed]
    return (lon >= 5) & (lon < 15) & (lat > 40) & (lat <= 50)


def test_a_poisson_catalog_has_hardly_any_offspring():
    rng = np.random.default_rng(4)
    time, lon, lat = (rng.uniform(*ends, 800) for ends in ((0, 3000), (5, 15), (40, 50)))
    magnitude = np.round(3.05 + rng.exponential(1 / KNOWN.beta, 800), 1)
    fit = fit_etas(
        time, lon, lat, magnitude, mc=2.95, start_days=0, end_days=3000, area_km2=AREA_KM2,
        background="uniform", iterations=10,
    )  # fmt: skip
    assert np.nanmean(fit.background_probability) > 0.93


def test_what_cannot_be_fitted_is_refused():
    catalog = columns(simulated(1, end=300))
    window = {"mc": 3.0, "start_days": 0.0, "end_days": 300.0}
    with pytest.raises(EventsError, match="generic"):
        fit_etas(*catalog, **{**window, "mc": 6.5}, area_km2=AREA_KM2)
    with pytest.raises(EventsError, match="area"):
        fit_etas(*catalog, **window)
    with pytest.raises(EventsError, match="turn round"):
        fit_etas(*catalog, **{**window, "end_days": -5}, area_km2=AREA_KM2)
    with pytest.raises(EventsError, match="background"):
        fit_etas(*catalog, **window, area_km2=AREA_KM2, background="even")
    same = np.ones(200)
    with pytest.raises(EventsError, match="triggered"):
        fit_etas(same, same, same, 3 * same, **window, b_value=1.0, area_km2=AREA_KM2)
    with pytest.raises(EventsError, match="shapes"):
        fit_etas(catalog[0][1:], *catalog[1:], **window, area_km2=AREA_KM2)


def test_the_likelihood_prefers_the_model_that_made_the_events():
    catalog = columns(simulated(2))
    even = np.full(len(catalog[0]), 1 / AREA_KM2)
    window = {"start_days": 500.0, "end_days": 3000.0, "background_density": even}
    scores = [
        etas_log_likelihood(
            EtasParameters(**{**KNOWN.to_dict(), "k0": KNOWN.k0 * factor}), *catalog,
            background_rate_per_day=rate, **window,
        )
        for factor, rate in ((1, 0.7), (0.4, 0.7), (2, 0.7), (1, 0.3), (1e-6, 1.1))
    ]  # fmt: skip
    totals = [float((found.temporal + found.spatial).sum()) for found in scores]
    assert max(totals) == totals[0]
    with pytest.raises(EventsError):
        etas_log_likelihood(
            KNOWN, *catalog, background_rate_per_day=1, **{**window, "start_days": 2999.9999}
        )


def california(shared: Path) -> tuple[np.ndarray, ...]:
    path = shared / "catalogs" / "california_comcat_m32_1971_2020.csv"
    with path.open() as file:
        rows = list(csv.DictReader(file))
    time = days(np.array([row["time"] for row in rows], dtype="datetime64[us]"))
    numbers = [
        np.array([float(row[name]) for row in rows])
        for name in ("longitude", "latitude", "magnitude")
    ]
    return np.array([int(row["id"]) for row in rows]), time, *numbers


def test_published_scores_of_californian_events_are_met(shared):
    """Per event, with the published parameters: what another program computed.

    There the reference is 3.2, the Earth's radius 6,378.1 km and the first event's integral
    leaves out triggering; two events in 4,991 stand differently to the one before.
    """
    identity, *events = california(shared)
    path = shared / "catalogs" / "california_comcat_m32_etas_scores.csv"
    with path.open() as file:
        published = {int(row["id"]): row for row in csv.DictReader(file)}
    area = 959_822.9591782562
    start, end = days(np.array(["2007-01-01", "2020-01-17"], dtype="datetime64[us]"))
    scores = etas_log_likelihood(
        PUBLISHED, *events, start_days=start, end_days=end,
        background_rate_per_day=area * 10**-6.895805218236812,
        background_density=np.full(len(identity), 1 / area),
    )  # fmt: skip
    rows = [published[number] for number in identity[scores.rows]]
    assert len(rows) == 4991
    temporal = np.abs(scores.temporal - [float(row["TLL"]) for row in rows])
    spatial = np.abs(scores.spatial - [float(row["SLL"]) for row in rows])
    assert np.median(temporal) < 1e-6
    assert (temporal > 1e-3).sum() <= 3
    assert np.quantile(spatial, 0.99) < 0.005
    assert scores.temporal.mean() == pytest.approx(0.4951, abs=0.001)
    assert scores.spatial.mean() == pytest.approx(-8.7287, abs=0.003)
