"""A catalog becomes a forecast in files: bands, names, units, window, layers."""

from datetime import UTC, datetime

import numpy as np
import pytest
import rasterio

from geotools.errors import EventsError, FileError
from geotools.io.geotiff import open_raster
from geotools.io.layers import read_layer
from geotools.maps.forecast import map_forecast

HEADER = "time,longitude,latitude,depth,magnitude,id\n"


def write_catalog(path, count=80, seed=0):
    """A CSV catalog of events about a place, M 3 and more."""
    random = np.random.default_rng(seed)
    times = np.datetime64("2012-01-01", "s") + np.sort(random.integers(0, 60_000_000, count))
    rows = (
        f"{time}Z,{x:.4f},{y:.4f},{depth:.1f},{m:.1f},e{index}\n"
        for index, (time, x, y, depth, m) in enumerate(
            zip(
                times,
                random.normal(20, 0.3, count),
                random.normal(38, 0.3, count),
                random.uniform(0, 30, count),
                3 + random.exponential(0.43, count),
                strict=True,
            )
        )
    )
    path.write_text(HEADER + "".join(rows))
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forecast")
    catalog = write_catalog(folder / "events.csv")
    return map_forecast(
        catalog, folder / "out.tif", cells=folder / "out.gpkg",
        model="generic", min_magnitude=3.0, horizon_days=30,
    )  # fmt: skip


def test_bands_are_named_with_units_and_nodata(made):
    with rasterio.open(made.path) as file:
        assert file.descriptions == (
            "expected_m3", "expected_m4", "expected_m5", "expected_m6",
            "probability_m3", "probability_m4", "probability_m5", "probability_m6",
            "baseline_m3", "ratio",
        )  # fmt: skip
        assert file.units == (*["events"] * 4, *["1"] * 4, "events", "1")
        assert np.isnan(file.nodata)
        assert file.crs.to_epsg() == 4326
    assert made.path.with_suffix(".qml").exists()


def test_the_file_holds_what_was_issued(made):
    """Expected numbers to float32; P = 1 - exp(-N); ratio = N / baseline."""
    forecast = made.issued.forecast
    with open_raster(made.path) as file:
        read = file.read(file.grid.window)
    bands = dict(zip(read.bands, read.data.astype(np.float64), strict=True))
    assert bands["expected_m3"] == pytest.approx(forecast.at_least(3.0), rel=1e-6)
    assert bands["probability_m3"] == pytest.approx(1 - np.exp(-bands["expected_m3"]), rel=1e-5)
    assert bands["ratio"] == pytest.approx(bands["expected_m3"] / bands["baseline_m3"], rel=1e-5)


def test_the_window_is_in_the_tags(made):
    with rasterio.open(made.path) as file:
        tags = file.tags()
    start = datetime.fromisoformat(tags["GEOTOOLS_WINDOW_START"])
    end = datetime.fromisoformat(tags["GEOTOOLS_WINDOW_END"])
    assert (end - start).days == 30
    assert start.tzinfo is not None
    assert start == made.issued.forecast.start
    assert tags["GEOTOOLS_MODEL"] == "generic"
    assert float(tags["GEOTOOLS_EXPECTED_NUMBER"]) == pytest.approx(
        made.issued.forecast.total, rel=1e-5
    )
    assert "nobody has evaluated" in tags["GEOTOOLS_NOTES"]


def test_the_issue_time_is_the_minute_after_the_last_event(made):
    events = read_layer(made.cells, "events")
    gap = made.issued.forecast.start - events["time"].max().to_pydatetime().astimezone(UTC)
    assert 0 < gap.total_seconds() <= 60


def test_cells_hold_the_same_as_the_raster(made):
    cells = read_layer(made.cells, "cells")
    forecast = made.issued.forecast
    assert len(cells) == forecast.rates.valid.sum()
    assert cells["expected_m3"].sum() == pytest.approx(forecast.total)
    with rasterio.open(made.path) as file:
        values = file.read(1)
        xs, ys = cells["longitude"], cells["latitude"]
        rows, cols = zip(*(file.index(x, y) for x, y in zip(xs, ys, strict=True)), strict=True)
    assert cells["expected_m3"].to_numpy() == pytest.approx(values[rows, cols], rel=1e-6)


def test_the_events_layer_is_what_the_forecast_rests_on(made):
    events = read_layer(made.cells, "events")
    assert len(events) == made.issued.used.sum()
    assert events["magnitude"].min() >= 3.0


def test_the_summary_has_a_row_per_threshold(made):
    summary = read_layer(made.cells, "summary")
    assert list(summary["magnitude"]) == [3, 4, 5, 6]
    row = summary.iloc[0]
    assert row["expected"] == pytest.approx(made.issued.forecast.total)
    assert row["low_95"] <= row["expected"] <= row["high_95"]
    assert row["expected_smoothed"] == pytest.approx(made.issued.smoothed.total)
    assert summary["probability"].is_monotonic_decreasing


def test_an_output_that_exists_stays(tmp_path):
    catalog = write_catalog(tmp_path / "events.csv", 5)
    kept = tmp_path / "out.tif"
    kept.write_text("mine")
    with pytest.raises(FileError, match=r"out\.tif"):
        map_forecast(catalog, kept, model="generic")
    assert kept.read_text() == "mine"
    with pytest.raises(FileError, match="events"):
        map_forecast(catalog, catalog, overwrite=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER, "holds no"),
        (HEADER + "2020-01-01T00:00:00Z,1,2,3,,a\n", "magnitude"),
        (HEADER + "2020-01-01T00:00:00Z,1,200,3,4,a\n", "1 impossible place"),
    ],
)
def test_a_catalog_of_nothing_is_one_sentence(tmp_path, text, message):
    catalog = tmp_path / "events.csv"
    catalog.write_text(text)
    with pytest.raises(EventsError, match=message):
        map_forecast(catalog, tmp_path / "out.tif", cells=tmp_path / "out.gpkg")
    assert [path.name for path in tmp_path.iterdir()] == ["events.csv"]
