"""geotools.maps.seismicity and its parts: from events to rasters."""

import json
import subprocess
import sys
from datetime import datetime

import numpy as np
import pytest
import rasterio
from conftest import make_grid, write_tif

from geotools.effort import Effort
from geotools.errors import EventsError, FileError, GeotoolsError, GridError
from geotools.events import event_table
from geotools.maps.event_choice import METHODS, SeismicitySettings
from geotools.maps.event_completeness import Completion
from geotools.maps.event_grids import MapPlace, cell_centres, cells_of, event_grid
from geotools.maps.event_styles import style_of
from geotools.maps.seismicity import map_seismicity
from geotools.seismicity.bvalue import b_value
from geotools.seismicity.completeness import maximum_curvature
from geotools.seismicity.distance import great_circle_km
from geotools.seismicity.indicators import energy_j
from geotools.seismicity.quantities import QUANTITIES
from geotools.seismicity.rates import poisson_interval


def make_events(n: int = 3000, *, seed: int = 0, west: float = 10.0, years: float = 20.0):
    """Events of b = 1, complete from 3.0, denser in the west, in a box of 4 x 3 degrees."""
    random = np.random.default_rng(seed)
    start = np.datetime64("2000-01-01", "us")
    seconds = np.sort(random.uniform(0, years * 365.25 * 86_400, n)).astype(int)
    return event_table(
        start + seconds.astype("timedelta64[s]"),
        west + 4 * random.uniform(0, 1, n) ** 2,
        44 + 3 * random.uniform(0, 1, n),
        magnitude=np.round(random.exponential(1 / np.log(10), n) + 2.95, 1),
    )


def read(path):
    with rasterio.open(path) as dataset:
        bands = dict(zip(dataset.descriptions, dataset.read(), strict=True))
        return bands, dataset.tags(), dataset


COARSE = MapPlace(bbox=(10, 44, 14, 47), cell=0.25)


PLAIN = SeismicitySettings(mc=3.0)


@pytest.mark.parametrize("name", QUANTITIES)
def test_bands_have_names_units_and_nodata(name, tmp_path):
    """Every quantity is float32 bands with names and units; NaN is nodata; tags say the rest."""
    settings = SeismicitySettings(since=datetime(2012, 1, 1), mc=3.0)
    made = map_seismicity(make_events(), tmp_path / "a.tif", name, settings=settings, place=COARSE)
    bands, tags, dataset = read(tmp_path / "a.tif")
    with rasterio.open(tmp_path / "a.tif") as opened:
        units = [unit or "" for unit in opened.units]
    assert tuple(bands) == made.bands == tuple(band for band, _ in QUANTITIES[name].bands)
    assert units == [unit for _, unit in QUANTITIES[name].bands]
    assert set(dataset.dtypes) == {"float32"}
    assert np.isnan(dataset.nodata)
    assert np.isfinite(bands[made.bands[0]]).sum() == made.cells_with_value > 0
    assert tags["GEOTOOLS_QUANTITY"] == name
    assert tags["GEOTOOLS_MAGNITUDE_MIN"] == "3"
    assert float(tags["GEOTOOLS_YEARS"]) == pytest.approx(20, abs=0.1)
    assert (tmp_path / "a.qml").exists()


def test_counts_are_all_events(tmp_path):
    """The counts of cells of any size add up to the events, and numpy's histogram is the same."""
    events = make_events()
    map_seismicity(events, tmp_path / "a.tif", "count", place=COARSE)
    bands, *_ = read(tmp_path / "a.tif")
    assert bands["count"].shape == (12, 16)
    edges = np.linspace(44, 47, 13), np.linspace(10, 14, 17)
    expected, *_ = np.histogram2d(events["latitude"], events["longitude"], edges)
    assert np.array_equal(bands["count"], expected[::-1])
    assert np.nanmax(bands["largest_magnitude"]) == pytest.approx(events["magnitude"].max())
    map_seismicity(events, tmp_path / "b.tif", "count")
    assert read(tmp_path / "b.tif")[0]["count"].sum() == len(events)


def test_rates_integrate_to_the_rate_of_the_catalog(tmp_path):
    """Rate times area, summed up, is the events a year; the interval is Garwood's."""
    events = make_events()
    settings = SeismicitySettings(
        mc=3.0, min_magnitude=3.5, start=datetime(2000, 1, 1), end=datetime(2020, 1, 1)
    )
    made = map_seismicity(events, tmp_path / "a.tif", settings=settings, place=MapPlace(cell=0.5))
    bands, tags, _ = read(tmp_path / "a.tif")
    area = made.grid.cell_area_m2()[:, None] / 1e6
    large = (events["magnitude"] >= 3.45).sum()
    assert made.events == bands["n"].sum() == large
    years = (datetime(2020, 1, 1) - datetime(2000, 1, 1)).days / 365.25
    assert (bands["rate"] * area).sum() == pytest.approx(large / years, rel=1e-5)
    low, high = poisson_interval(bands["n"])
    assert np.allclose(bands["rate_low"] * area * years, low, rtol=1e-5)
    assert np.allclose(bands["rate_high"] * area * years, high, rtol=1e-5)
    assert tags["GEOTOOLS_MAGNITUDE_MIN"] == "3.5"


def test_circles_hold_what_is_near(tmp_path):
    """b, its error and n of a cell are those of the events within the radius of its centre."""
    events = make_events(west=178.0)  # across the date line
    settings = SeismicitySettings(mc=3.0, radius_km=40.0)
    made = map_seismicity(
        events, tmp_path / "a.tif", "b", settings=settings, place=MapPlace(cell=0.25)
    )
    bands, *_ = read(tmp_path / "a.tif")
    lon, lat = cell_centres(made.grid, made.grid.window)
    assert made.grid.bounds[0] >= 178
    assert made.grid.bounds[2] <= 182.5
    distance = great_circle_km(
        lon[:, None], lat[:, None], events["longitude"].to_numpy(), events["latitude"].to_numpy()
    )
    for cell in range(0, lon.size, 7):
        near = events["magnitude"].to_numpy()[distance[cell] <= 40.0]
        assert bands["n"].ravel()[cell] == near.size
        if near.size >= 50:
            found = b_value(near, mc=3.0)
            assert bands["b_value"].ravel()[cell] == pytest.approx(found.b, rel=1e-5)
            assert bands["b_error"].ravel()[cell] == pytest.approx(found.error, rel=1e-4)
        else:
            assert np.isnan(bands["b_value"].ravel()[cell])


def test_nearest_events(tmp_path):
    """The N nearest of each cell; their density is (N - 1) over the circle through the last."""
    events = make_events(500)
    settings = SeismicitySettings(mc=3.0, nearest=60)
    place = MapPlace(bbox=(10, 44, 14, 47), cell=0.5)
    made = map_seismicity(events, tmp_path / "a.tif", settings=settings, place=place)
    bands, *_ = read(tmp_path / "a.tif")
    assert (bands["n"] == 60).all()
    lon, lat = cell_centres(made.grid, made.grid.window)
    distance = np.sort(
        great_circle_km(
            lon[:, None], lat[:, None], events["longitude"].to_numpy(),
            events["latitude"].to_numpy(),
        ), axis=1,
    )[:, 59]  # fmt: skip
    years = (events["time"].iloc[-1] - events["time"].iloc[0]).total_seconds() / 86_400 / 365.25
    expected = 59 / (np.pi * distance**2 * years)
    assert np.allclose(bands["rate"].ravel(), expected, rtol=1e-3)
    near = SeismicitySettings(mc=3.0, nearest=60, radius_km=20)
    map_seismicity(events, tmp_path / "b.tif", settings=near, place=place)
    bands, *_ = read(tmp_path / "b.tif")
    inside = (
        great_circle_km(
            lon[:, None], lat[:, None], events["longitude"].to_numpy(),
            events["latitude"].to_numpy(),
        ) <= 20
    ).sum(axis=1)  # fmt: skip
    assert np.array_equal(bands["n"].ravel(), np.minimum(inside, 60))


def test_completeness_map(tmp_path):
    """Mc is that of the events in the circle; its error is small where there are many."""
    events = make_events(6000)
    settings = SeismicitySettings(radius_km=60)
    place = MapPlace(bbox=(10, 44, 14, 47), cell=0.5)
    made = map_seismicity(events, tmp_path / "a.tif", "mc", settings=settings, place=place)
    bands, *_ = read(tmp_path / "a.tif")
    lon, lat = cell_centres(made.grid, made.grid.window)
    near = great_circle_km(lon[0], lat[0], events["longitude"], events["latitude"]) <= 60
    expected = maximum_curvature(events["magnitude"].to_numpy()[near]).mc
    assert bands["mc"].ravel()[0] == pytest.approx(expected)
    assert np.nanmax(bands["mc_error"]) < 0.3
    assert np.isfinite(bands["mc_error"]).sum() == np.isfinite(bands["mc"]).sum()


def test_energy_and_elapsed(tmp_path):
    """The energy of one cell is the sum of its events'; elapsed time counts to the end."""
    events = make_events(200)
    place = MapPlace(bbox=(9, 43, 15, 48), cell=10.0)
    map_seismicity(events, tmp_path / "a.tif", "energy", place=place)
    bands, *_ = read(tmp_path / "a.tif")
    joules = energy_j(events["magnitude"].to_numpy()).sum()
    assert bands["energy"].item() == pytest.approx(joules, rel=1e-6)
    assert bands["log10_energy"].item() == pytest.approx(np.log10(joules))
    settings = SeismicitySettings(min_magnitude=4.0, end=datetime(2030, 1, 1))
    map_seismicity(events, tmp_path / "b.tif", "elapsed", place=place, settings=settings)
    bands, *_ = read(tmp_path / "b.tif")
    last = events["time"][events["magnitude"] >= 4].iloc[-1].tz_localize(None).to_pydatetime()
    assert bands["elapsed"].item() == pytest.approx(
        (datetime(2030, 1, 1) - last).days / 365.25, abs=0.01
    )


def test_a_and_b_give_the_rate(tmp_path):
    """10^(a - b mc) is the rate of the same circle."""
    events = make_events()
    settings = SeismicitySettings(mc=3.0, radius_km=50)
    place = MapPlace(cell=0.5)
    for name in ("a", "rate"):
        map_seismicity(events, tmp_path / f"{name}.tif", name, settings=settings, place=place)
    a, rate = (read(tmp_path / f"{name}.tif")[0] for name in ("a", "rate"))
    known = np.isfinite(a["a_value"])
    back = 10 ** (a["a_value"] - 3.0 * a["b_value"])
    assert np.allclose(back[known], rate["rate"][known], rtol=1e-4)
    assert (a["a_error"][known] > 0).all()


@pytest.mark.parametrize("name", ["rate", "b", "mc"])
def test_tiles_and_order_do_not_change_the_values(name, tmp_path):
    """Any tile, any number of threads, any order of the events: the same cells to the last bit."""
    events = make_events()
    shuffled = events.sample(frac=1, random_state=1)
    place = MapPlace(bbox=(10, 44, 14, 47), cell=0.1)
    results = []
    for file, table, effort in (
        ("a", events, Effort(tile=4096, threads=1)),
        ("b", events, Effort(tile=16, threads=3)),
        ("c", shuffled, Effort(tile=48, threads=2)),
    ):
        map_seismicity(table, tmp_path / f"{file}.tif", name, effort=effort, place=place)
        with rasterio.open(tmp_path / f"{file}.tif") as dataset:
            results.append(dataset.read())
    for result in results[1:]:
        assert np.array_equal(results[0], result, equal_nan=True)


def test_grid_of_a_raster_and_of_a_crs(tmp_path):
    """--like takes the raster's grid; a projected CRS takes cells in metres, and all events."""
    events = make_events()
    like = write_tif(
        tmp_path / "like.tif", np.zeros((40, 50), np.float32),
        make_grid(50, 40, cell=5000.0, left=100_000.0, top=5_200_000.0),
    )  # fmt: skip
    made = map_seismicity(events, tmp_path / "a.tif", "count", place=MapPlace(like=like))
    with rasterio.open(like) as expected, rasterio.open(tmp_path / "a.tif") as found:
        assert (found.crs, found.transform, found.shape) == (
            expected.crs, expected.transform, expected.shape,
        )  # fmt: skip
    place = MapPlace(crs="EPSG:32632", cell=20_000.0)
    map_seismicity(events, tmp_path / "b.tif", "count", place=place)
    bands, _, dataset = read(tmp_path / "b.tif")
    assert dataset.crs.to_epsg() == 32632
    assert bands["count"].sum() == len(events)
    row, col, inside = cells_of(
        made.grid, events["longitude"].to_numpy(), events["latitude"].to_numpy()
    )
    moved = events["geometry"].to_crs(32633)
    expected_row = np.floor((5_200_000 - moved.y.to_numpy()) / 5000)
    expected_col = np.floor((moved.x.to_numpy() - 100_000) / 5000)
    on = (expected_row >= 0) & (expected_row < 40) & (expected_col >= 0) & (expected_col < 50)
    assert np.array_equal(inside, on)
    assert np.array_equal(row[on], expected_row[on])
    assert np.array_equal(col[on], expected_col[on])


@pytest.mark.parametrize(
    ("lon", "lat", "bounds", "cell"),
    [
        ([5.0, 15.0], [40.0, 45.0], (5.0, 40.0, 15.0, 45.0), 0.05),
        ([-179.5, 179.5, 178.0], [0.0, 1.0, -2.0], (178.0, -2.0, 180.5, 1.0), 0.01),
        (np.arange(-180.0, 180, 20), np.linspace(-90, 90, 18), (-180, -90, 160, 90), 1.0),
        ([12.0], [42.0], (12.0, 41.99, 12.01, 42.0), 0.01),
    ],
)  # fmt: skip
def test_default_grid(lon, lat, bounds, cell):
    """Round cells around the events, the short way round the Earth, all of them inside."""
    lon, lat = np.array(lon), np.array(lat)
    grid = event_grid(lon, lat, MapPlace())
    assert grid.transform.a == pytest.approx(cell)
    assert grid.bounds == pytest.approx(bounds, abs=1.01 * cell)
    row, col, inside = cells_of(grid, lon, lat)
    assert inside.all()
    centre_lon, centre_lat = (
        values.reshape(grid.shape) for values in cell_centres(grid, grid.window)
    )
    assert (np.abs(centre_lat[row, col] - lat) <= cell / 2 + 1e-9).all()
    assert (np.abs((centre_lon[row, col] - lon + 180) % 360 - 180) <= cell / 2 + 1e-6).all()


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (MapPlace(cell=-1.0), "cell of -1"),
        (MapPlace(cell=float("nan")), "cell of nan"),
        (MapPlace(cell=1e-9), "larger --cell|too small"),
        (MapPlace(bbox=(10, 47, 14, 44)), "west, south, east, north"),
        (MapPlace(bbox=(10, 44, 10, 47)), "west, south, east, north"),
        (MapPlace(crs="EPSG:0"), "not a CRS"),
        (MapPlace(like="a.tif", cell=1.0), "leave out"),
    ],
)
def test_places_that_cannot_be(place, message):
    """A wrong place is one sentence."""
    with pytest.raises(GridError, match=message):
        event_grid(np.array([10.0, 14.0]), np.array([44.0, 47.0]), place)


def test_changing_completeness(tmp_path):
    """Half of the years complete to 4, half to 3: the rate of 3 is that of the complete catalog."""
    events = make_events(20_000)
    early = events["time"] < "2010-01-01"
    seen = events[~early | (events["magnitude"] >= 3.95)]
    place = MapPlace(bbox=(9, 43, 15, 48), cell=10.0)
    period = {"start": datetime(2000, 1, 1), "end": datetime(2020, 1, 1)}
    rates = {}
    for file, table, mc in (
        ("whole", events, 3.0),
        ("periods", seen, "2000:4.0,2010:3.0"),
        ("column", seen.assign(mc=np.where(seen["time"] < "2010-01-01", 4.0, 3.0)), "column"),
        ("wrong", seen, 3.0),
    ):
        settings = SeismicitySettings(mc=mc, **period)
        map_seismicity(table, tmp_path / f"{file}.tif", settings=settings, place=place)
        rates[file] = read(tmp_path / f"{file}.tif")[0]["rate"].item()
    assert rates["periods"] == pytest.approx(rates["whole"], rel=0.05)
    assert rates["column"] == pytest.approx(rates["whole"], rel=0.12)
    assert rates["wrong"] < 0.7 * rates["whole"]
    settings = SeismicitySettings(mc="2000:4.0,2010:3.0", **period)
    map_seismicity(seen, tmp_path / "b.tif", "b", settings=settings, place=place)
    bands, *_ = read(tmp_path / "b.tif")
    assert bands["b_value"].item() == pytest.approx(1.0, abs=4 * bands["b_error"].item())


@pytest.mark.parametrize("words", ["zzz", "3.0:", "2000:x", "13-13:3", "99", ""])
def test_completeness_that_cannot_be(words):
    """Completeness is a magnitude or periods."""
    with pytest.raises(EventsError, match="not understood"):
        Completion.parse(words)
    with pytest.raises(EventsError, match="do not rise"):
        Completion.parse("2000:3,1990:4")


@pytest.mark.parametrize("method", METHODS)
def test_declustered_maps_hold_main_shocks(method, tmp_path):
    """Declustering removes events, and says so in the tags."""
    events = make_events(1000)
    again = events.copy()
    again["time"] = again["time"] + np.timedelta64(1, "h")
    again["magnitude"] = 3.0
    table = event_table(
        np.concatenate([t["time"].dt.tz_localize(None).to_numpy() for t in (events, again)]),
        np.tile(events["longitude"].to_numpy(), 2),
        np.tile(events["latitude"].to_numpy(), 2),
        magnitude=np.concatenate([t["magnitude"].to_numpy() for t in (events, again)]),
    )
    settings = SeismicitySettings(mc=3.0, declustered=method)
    made = map_seismicity(table, tmp_path / "a.tif", "count", settings=settings)
    assert 500 < made.events <= 1000
    assert read(tmp_path / "a.tif")[1]["GEOTOOLS_DECLUSTERED"] == method


def test_what_cannot_be_mapped(tmp_path):
    """One sentence, and no file."""
    events = make_events(100)
    out = tmp_path / "a.tif"
    cases = [
        (events, "guess", None, "unknown"),
        (events[:0], "rate", None, "holds no event"),
        (events.assign(magnitude=np.nan), "rate", None, "has a magnitude"),
        (events, "rate", SeismicitySettings(mc=9.0), "None of the 100 events reaches"),
        (events, "b", SeismicitySettings(mc=3.0), "No cell has the 50 events"),
        (events, "z", PLAIN, "--since"),
        (events, "z", SeismicitySettings(mc=3.0, since=datetime(1990, 1, 1)), "not inside"),
        (events, "rate", SeismicitySettings(start=datetime(2050, 1, 1)), "before the start"),
        (events, "rate", SeismicitySettings(mc="column"), "no column mc"),
        (events, "rate", SeismicitySettings(mc=3.0, declustered="mine"), "unknown"),
        (events, "rate", SeismicitySettings(mc=3.0, delta_m=0.0), "Magnitude bins"),
        (events[:1], "rate", SeismicitySettings(mc=2.0), "no length in time"),
        (events.drop(columns="latitude"), "rate", None, "lacks the columns latitude"),
    ]
    for table, name, settings, message in cases:
        with pytest.raises(EventsError, match=message):
            map_seismicity(table, out, name, settings=settings)
    with pytest.raises(EventsError, match="lies on the map"):
        map_seismicity(events, out, place=MapPlace(bbox=(-10, -10, 0, 0)))
    with pytest.raises(EventsError, match="radius"):
        SeismicitySettings(radius_km=-1)
    with pytest.raises(EventsError, match="nearest"):
        SeismicitySettings(nearest=0)
    with pytest.raises(FileError, match="GeoTIFF"):
        map_seismicity(events, tmp_path / "a.png", settings=PLAIN)
    assert list(tmp_path.iterdir()) == []


def test_one_event(tmp_path):
    """One event has a map of counts."""
    made = map_seismicity(make_events(1), tmp_path / "a.tif", "count")
    assert made.cells_with_value == 1
    assert read(tmp_path / "a.tif")[0]["count"].sum() == 1


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "geotools", "seismicity", *map(str, words)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_command_line(shared, tmp_path):
    """From a file to a map and a page about the catalog; nonsense is one sentence, exit 1."""
    catalog = shared / "catalogs" / "california_comcat_m32_1971_2020.csv"
    out = tmp_path / "b.tif"
    done = run(catalog, "-o", out, "-q", "b", "--cell", "0.2", "--progress", "json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["event"] == "result"
    assert result["summary"]["mc"]["maximum-curvature"] == pytest.approx(3.4)
    assert result["summary"]["b"] == pytest.approx(1.02, abs=0.006)
    assert "Mc by ks" in result["message"]
    bands, tags, _ = read(out)
    assert 0.5 < np.nanmedian(bands["b_value"]) < 1.5
    assert tags["GEOTOOLS_SOURCE"] == catalog.name
    assert len(tags["GEOTOOLS_SOURCE_SHA256"]) == 64
    raster = run(out, "-o", tmp_path / "c.tif")
    assert raster.returncode == 1
    assert raster.stderr.startswith(f"Error: {out} is not an earthquake catalog")


@pytest.mark.parametrize("name", ["rate", "count", "energy"])
@pytest.mark.parametrize("nearest", [None, 5])
def test_tiles_without_events(name, nearest, tmp_path):
    """Far from all events there are none: a rate and a count of 0, no energy."""
    settings = SeismicitySettings(mc=3.0, nearest=nearest, radius_km=50.0 if nearest else None)
    place = MapPlace(bbox=(0, 30, 20, 50), cell=0.5)
    map_seismicity(
        make_events(), tmp_path / "a.tif", name, settings=settings, place=place,
        effort=Effort(tile=16),
    )  # fmt: skip
    bands, *_ = read(tmp_path / "a.tif")
    corner = bands[{"energy": "log10_energy"}.get(name, name)][0, 0]
    assert np.isnan(corner) if name == "energy" else corner == 0


def test_styles():
    """Colours span what is there: powers of ten, both sides of 0, or the middle of the values."""
    values = np.array([0.0, 0.002, 0.05, 3.0, np.nan])
    assert 'value="0.001"' in style_of(values, "log")
    assert 'value="10"' in style_of(values, "log")
    assert 'classificationMin="-' in style_of(values, "diverging")
    assert style_of(np.array([1.0]), "linear").count("<item ") == 8
    for scale in ("log", "linear", "diverging"):
        assert "singlebandpseudocolor" in style_of(np.array([np.nan]), scale)


def test_a_raster_is_no_catalog(tmp_path):
    """A raster given as catalog is refused."""
    path = write_tif(tmp_path / "dem.tif", np.zeros((20, 20), np.float32), make_grid(20, 20))
    with pytest.raises(GeotoolsError, match="not an earthquake catalog"):
        map_seismicity(path, tmp_path / "a.tif")
