"""The ETAS model: parameters, expected aftershocks on a grid, families."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS

from geotools.errors import EventsError, GridError, ModelError
from geotools.grid import Grid
from geotools.seismicity.cells import cell_of, cell_place
from geotools.seismicity.etas import (
    GENERIC_ETAS,
    EtasParameters,
    TriggeringField,
    decay_share,
    secondary_factor,
    spatial_shares,
    triggered_rates,
)
from geotools.seismicity.etas_secondary import WindowDecay, family_size
from geotools.seismicity.etas_simulate import simulate_etas

GRID = Grid(CRS.from_epsg(4326), Affine(0.1, 0, 10.0, 0, -0.1, 47.0), 61, 51)
REGION = np.ones(GRID.shape, bool)
WORLD = Grid(CRS.from_epsg(4326), Affine(1, 0, -180, 0, -1, 90), 360, 180)
LIVELY = dataclasses.replace(GENERIC_ETAS, magnitude_max=6.5)


def some_events(count: int = 80, seed: int = 1) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    time, lon, lat = (rng.uniform(*ends, count) for ends in ((0, 20), (10, 16), (42, 47)))
    return time, lon, lat, 3.6 + rng.exponential(0.4, count)


def shares_of(lon: float, lat: float, magnitude: float, grid: Grid = GRID, **options: float):
    region = np.ones(grid.shape, bool)
    one = (np.array([value]) for value in (lon, lat, magnitude))
    found = spatial_shares(options.pop("model", GENERIC_ETAS), *one, grid, region, **options)
    return found.toarray().reshape(grid.shape)


def test_parameters_come_back_from_their_dictionary():
    assert EtasParameters.from_dict(GENERIC_ETAS.to_dict()) == GENERIC_ETAS


@pytest.mark.parametrize(
    "wrong",
    [{"k0": 0.0}, {"rho": math.nan}, {"mref": "3"}, {"a": True}, {"magnitude_max": 1.0},
     {"omega": -1.0}, {"tau_days": -5}, {"b_value": None}, {"gamma": 1e9}],
)  # fmt: skip
def test_parameters_that_cannot_be_are_refused(wrong):
    with pytest.raises(ModelError):
        EtasParameters.from_dict({**GENERIC_ETAS.to_dict(), **wrong})
    with pytest.raises(ModelError):
        EtasParameters.from_dict({})


@pytest.mark.parametrize("omega", [-0.3, -1e-6, 0.0, 1e-9, 1e-3, 0.4, 1.0, 1.3])
def test_the_decay_is_the_integral_of_omori_and_taper(omega):
    model = dataclasses.replace(GENERIC_ETAS, omega=omega, tau_days=900.0, c_days=0.01)

    def integral(first: float, last: float) -> float:
        log_time = np.linspace(math.log(first + 1e-12), math.log(min(last, 5e4)), 100_001)
        time = np.exp(log_time)
        rate = np.exp(-time / 900) * (time + 0.01) ** (-1 - omega)
        return float(np.trapezoid(rate * time, log_time))

    whole = integral(0, math.inf)
    for first, last in ((0, 1), (1, 30), (300, 301), (5000, math.inf)):
        expected = integral(first, last) / whole
        assert decay_share(model, first, last) == pytest.approx(expected, rel=1e-5, abs=1e-12)
    assert decay_share(model, 0, math.inf) == pytest.approx(1)


def test_productivity_and_branching_are_integrals_of_the_rate():
    p = GENERIC_ETAS
    radius = np.geomspace(1e-6, 1e9, 200_001)
    for magnitude in (3.6, 5.0):
        spread = p.d_km2 * math.exp(p.gamma * (magnitude - p.mref))
        plane = np.trapezoid(2 * math.pi * radius * (radius**2 + spread) ** (-1 - p.rho), radius)
        time = np.geomspace(1e-9, 1e6, 200_001)
        decay = np.trapezoid(np.exp(-time / p.tau_days) * (time + p.c_days) ** (-1 - p.omega), time)
        expected = p.k0 * math.exp(p.a * (magnitude - p.mref)) * plane * decay
        assert p.productivity(magnitude) == pytest.approx(expected, rel=1e-4)
    m = np.linspace(p.mref, p.magnitude_max, 100_001)
    density = np.exp(-p.beta * (m - p.mref))
    density /= np.trapezoid(density, m)
    ratio = np.trapezoid(density * p.productivity(m), m)
    assert p.branching_ratio() == pytest.approx(ratio, rel=1e-6)


def test_another_reference_keeps_branching_and_the_width_of_kernels():
    wider = dataclasses.replace(GENERIC_ETAS, magnitude_max=GENERIC_ETAS.mref + 5)
    moved = dataclasses.replace(wider.at(5.0), magnitude_max=10.0)
    assert moved.branching_ratio() == pytest.approx(wider.branching_ratio())
    assert moved.spread_km2(6.0) == pytest.approx(wider.spread_km2(6.0))
    assert 0.8 < GENERIC_ETAS.branching_ratio() < 1


def test_a_small_event_at_the_centre_of_a_cell_is_symmetric_and_keeps_its_share():
    cells = shares_of(13.05, 44.45, 3.6)
    assert cells.argmax() == 25 * 61 + 30
    np.testing.assert_allclose(cells[:, 29], cells[:, 31], rtol=1e-5)
    assert cells.sum() == pytest.approx(0.99, abs=0.002)


@pytest.mark.parametrize("magnitude", [2.0, 4.0, 5.5, 7.0])
@pytest.mark.parametrize("lat", [44.45, 44.4999, 44.5])
def test_shares_add_up_to_the_mass_of_the_circle_wherever_the_event_lies(magnitude, lat):
    """In a circle that stays inside the grid a row sums to the share asked for."""
    model = dataclasses.replace(GENERIC_ETAS, rho=1.5)  # a short tail: 90 % within 2 widths
    cells = shares_of(13.017, lat, magnitude, share=0.9, model=model)
    # Cells near the event are all kept, so small events have more than asked for.
    width = math.sqrt(model.spread_km2(magnitude))
    outside = (width**2 / (width**2 + 25.0**2)) ** 1.5
    assert min(0.895, 1 - outside) - 0.02 < cells.sum() <= 1.0


def test_cells_agree_with_many_points_in_them():
    model = dataclasses.replace(GENERIC_ETAS, d_km2=40.0)
    lon, lat, magnitude = 13.02, 44.47, model.mref
    cells = shares_of(lon, lat, magnitude, share=0.999, model=model)
    place = np.linspace(0.5 / 40, 1 - 0.5 / 40, 40)
    for row, col in ((25, 30), (25, 31), (22, 30), (20, 36), (5, 55)):
        y, x = 47 - 0.1 * (row + place)[:, None], 10 + 0.1 * (col + place)[None]
        half = np.sin(np.radians(y - lat) / 2) ** 2
        half = half + np.cos(np.radians(y)) * math.cos(math.radians(lat)) * (
            np.sin(np.radians(x - lon) / 2) ** 2
        )
        r2 = (2 * 6371.0088 * np.arcsin(np.sqrt(half))) ** 2
        kernel = model.rho / math.pi * 40**model.rho * (r2 + 40) ** (-1 - model.rho)
        area = (6371.0088 * math.radians(0.1)) ** 2 * np.cos(np.radians(y))
        assert cells[row, col] == pytest.approx(float((kernel * area).mean()), rel=2e-3)


def test_events_on_an_edge_are_shared_evenly_and_beyond_the_grid_still_reach_in():
    cells = shares_of(13.0, 44.45, 3.6)
    np.testing.assert_allclose(cells[25, 29], cells[25, 30], rtol=1e-6)
    corner = shares_of(13.0, 44.5, 3.6)
    around = corner[24:26, 29:31]
    np.testing.assert_allclose(around, around[0, 0], rtol=0.02)
    outside = shares_of(9.95, 44.45, 3.6)
    assert 0.02 < outside.sum() < 0.2
    assert shares_of(9.95 + 360, 44.45, 3.6).sum() == pytest.approx(outside.sum())


def test_the_date_line_and_the_poles_lose_nothing():
    middle = shares_of(0.5, 10.5, 5.0, WORLD)
    edge = shares_of(179.5, 10.5, 5.0, WORLD)
    np.testing.assert_allclose(np.roll(middle, 179, axis=1), edge, rtol=1e-6, atol=1e-12)
    for lat in (89.97, 90.0, -90.0):
        assert shares_of(3.0, lat, 5.0, WORLD).sum() == pytest.approx(0.99, abs=0.008)
    # A grid across the date line, in longitudes of 0 to 360.
    across = Grid(CRS.from_epsg(4326), Affine(1, 0, 170, 0, -1, 20), 20, 20)
    np.testing.assert_allclose(shares_of(-179.5, 10.5, 5.0, across)[9, 10], edge.max(), rtol=1e-6)


def test_an_unknown_magnitude_has_an_empty_row_and_too_many_shares_are_refused(monkeypatch):
    lon, lat = np.array([13.0, 13.0]), np.array([44.0, 44.0])
    shares = spatial_shares(GENERIC_ETAS, lon, lat, np.array([np.nan, 4.0]), GRID, REGION)
    assert shares.shape == (2, REGION.sum())
    assert shares.indptr[1] == 0
    assert shares.sum() > 0.9
    monkeypatch.setattr("geotools.seismicity.etas._LARGEST", 10)
    with pytest.raises(EventsError, match="larger cells"):
        spatial_shares(GENERIC_ETAS, lon, lat, np.array([4.0, 4.0]), GRID, REGION)


def test_what_does_not_fit_together_is_refused():
    one = np.zeros(1)
    with pytest.raises(EventsError):
        spatial_shares(GENERIC_ETAS, one, np.zeros(2), one, GRID, REGION)
    with pytest.raises(EventsError):
        spatial_shares(GENERIC_ETAS, one, one, one, GRID, REGION, share=1.0)
    with pytest.raises(GridError):
        spatial_shares(GENERIC_ETAS, one, one, one, GRID, REGION.T)
    with pytest.raises(EventsError, match="magnitude"):
        spatial_shares(GENERIC_ETAS, one, one, one + 1e6, GRID, REGION)
    with pytest.raises(EventsError, match="latitude"):
        spatial_shares(GENERIC_ETAS, one, one + 450, one, GRID, REGION)
    window = {"grid": GRID, "region": REGION, "horizon_days": 1.0}
    with pytest.raises(EventsError, match="number"):
        triggered_rates(GENERIC_ETAS, one, one, one, one, issue_days=math.nan, **window)
    with pytest.raises(EventsError, match="shapes"):
        triggered_rates(GENERIC_ETAS, np.zeros(3), one, one, one, issue_days=1.0, **window)
    none = np.zeros(0)
    assert not triggered_rates(GENERIC_ETAS, *[none] * 4, issue_days=1.0, **window).any()
    for horizon in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(EventsError):
            secondary_factor(GENERIC_ETAS, horizon)


@pytest.mark.parametrize(
    "options", [{"secondaries": False}, {"secondaries": True}, {"widened": True}]
)
def test_events_after_the_issue_time_change_no_bit(options):
    time, lon, lat, mag = some_events()
    window = {
        "grid": GRID, "region": REGION, "issue_days": 10.0, "horizon_days": 1.0, **options,
    }  # fmt: skip
    first = triggered_rates(GENERIC_ETAS, time, lon, lat, mag, **window)
    whole = TriggeringField(
        GENERIC_ETAS, time, lon, lat, mag, grid=GRID, region=REGION, widened="widened" in options
    )
    options = {name: value for name, value in options.items() if name == "secondaries"}
    assert (whole.expected(10.0, 1.0, **options) == first).all()
    later = time >= 10
    mag[later], lon[later] = mag[later] + 2, np.random.default_rng(0).permutation(lon[later])
    again = triggered_rates(GENERIC_ETAS, time, lon, lat, mag, **window)
    assert (first == again).all()
    assert first.sum() > 0


def test_the_order_of_events_changes_no_bit():
    events = some_events()
    mixed = np.random.default_rng(0).permutation(80)
    window = {"grid": GRID, "region": REGION, "issue_days": 15.0, "horizon_days": 7.0}
    first = triggered_rates(GENERIC_ETAS, *events, **window)
    again = triggered_rates(GENERIC_ETAS, *(values[mixed] for values in events), **window)
    assert (first == again).all()


@pytest.mark.parametrize("widened", [False, True])
def test_parts_of_a_catalog_added_up_have_the_bits_of_the_whole(widened):
    time, *rest = some_events()
    order = np.argsort(time)
    events = [values[order] for values in (time, *rest)]
    options = {"grid": GRID, "region": REGION, "widened": widened}
    whole = TriggeringField(GENERIC_ETAS, *events, **options).expected(25.0, 1.0)
    cells = np.zeros(len(whole))
    for part in (slice(0, 33), slice(33, 80)):
        field = TriggeringField(GENERIC_ETAS, *(values[part] for values in events), **options)
        field.add_expected(cells, 25.0, 1.0)
    assert (cells == whole).all()


def test_expected_numbers_are_productivity_times_decay_times_share():
    time, lon, lat = np.array([99.0]), np.array([13.02]), np.array([44.47])
    mag = np.array([5.0])
    rates = triggered_rates(
        GENERIC_ETAS, time, lon, lat, mag, grid=GRID, region=REGION, issue_days=100.0,
        horizon_days=3.0, secondaries=False,
    )  # fmt: skip
    shares = shares_of(13.02, 44.47, 5.0).ravel()
    number = GENERIC_ETAS.productivity(5.0) * decay_share(GENERIC_ETAS, 1.0, 4.0)
    np.testing.assert_allclose(rates, number * shares, rtol=1e-5)
    below = triggered_rates(
        GENERIC_ETAS, time, lon, lat, mag - 1.5, grid=GRID, region=REGION, issue_days=100.0,
        horizon_days=3.0,
    )  # fmt: skip
    assert not below.any()


def test_windows_in_a_row_have_the_decay_of_the_whole():
    parts = WindowDecay(GENERIC_ETAS, 1.0, secondaries=False)(np.arange(30.0))
    assert parts.sum() == pytest.approx(float(decay_share(GENERIC_ETAS, 0, 30)), rel=1e-5)


def test_families_follow_the_renewal_equation_and_end_at_one_over_one_less_n():
    """An exponential kernel has a family of 1 + n / (1 - n) (1 - e^-(1 - n) t / tau)."""
    model = dataclasses.replace(
        GENERIC_ETAS, omega=-0.99, c_days=1e-6, tau_days=5.0, k0=GENERIC_ETAS.k0 / 100
    )
    ratio = model.branching_ratio()
    nodes, family = family_size(model, 40.0)
    expected = 1 + ratio / (1 - ratio) * -np.expm1(-(1 - ratio) * nodes / 5)
    np.testing.assert_allclose(family, expected, rtol=0.01)
    long = dataclasses.replace(GENERIC_ETAS, tau_days=100.0)
    _, family = family_size(long, 1e5)
    assert family[-1] == pytest.approx(1 / (1 - long.branching_ratio()), rel=2e-3)


def test_secondaries_have_the_mean_of_simulated_windows():
    """Totals and rings agree with 800 simulated continuations within 4 standard errors."""
    history = (
        np.array([99.0, 99.9, 60.0]), np.array([13.03, 13.06, 13.2]),
        np.array([44.52, 44.5, 44.6]), np.array([5.5, 4.0, 6.0]),
    )  # fmt: skip
    place = cell_place(GRID, REGION)
    row, col = np.indices(GRID.shape)
    rings = np.digitize(np.hypot(row - 24, col - 31).ravel(), [2.5, 8])
    runs, horizon, totals, seen = 800, 7.0, [], []
    for seed in range(runs):
        run = simulate_etas(
            LIVELY, start_days=100, end_days=100 + horizon, background_rate_per_day=0.0,
            grid=GRID, region=REGION, history=history, seed=seed,
        )  # fmt: skip
        cell = cell_of(run.longitude, run.latitude, place)
        seen.append(np.bincount(rings[cell[cell >= 0]], minlength=3))
        totals.append(len(run.time_days))
    expected = float(
        LIVELY.productivity(history[3]) @ WindowDecay(LIVELY, horizon)(100 - history[0])
    )
    error = np.std(totals) / math.sqrt(runs)
    assert np.mean(totals) == pytest.approx(expected, abs=4 * error)
    direct = WindowDecay(LIVELY, horizon, secondaries=False)(100 - history[0])
    assert expected > 1.3 * float(LIVELY.productivity(history[3]) @ direct)
    rates = triggered_rates(
        LIVELY, *history, grid=GRID, region=REGION, issue_days=100, horizon_days=horizon,
        widened=True,
    )  # fmt: skip
    error = np.std(seen, axis=0) / math.sqrt(runs)
    modelled = np.bincount(rings, rates)
    assert (np.abs(np.mean(seen, axis=0) - modelled) < 4 * error + 0.03 * modelled).all()


def test_background_has_the_families_of_simulated_windows():
    totals = [
        len(
            simulate_etas(
                LIVELY, start_days=0, end_days=10, background_rate_per_day=20.0, grid=GRID,
                region=REGION, seed=seed,
            ).time_days
        )
        for seed in range(200)
    ]  # fmt: skip
    error = np.std(totals) / math.sqrt(len(totals))
    assert np.mean(totals) == pytest.approx(200 * secondary_factor(LIVELY, 10.0), abs=4 * error)
    assert secondary_factor(LIVELY, 1e-9) == pytest.approx(1, abs=1e-4)
