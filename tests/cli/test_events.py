"""geotools events: what it writes, prints and refuses."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import geopandas
import numpy as np
import pytest

from geotools.errors import EventsError, GeotoolsError
from geotools.events import event_table
from geotools.io.catalogs import read_events
from geotools.io.catalogs.writing import write_events
from geotools.maps import EventSelection, map_events


def geotools(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "geotools", *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def make_catalog(path):
    """A CSV of six events around 180°, one of them without magnitude, one an explosion."""
    time = np.array([f"20{year}-01-01" for year in (10, 11, 12, 13, 14, 15)], "datetime64[us]")
    events = event_table(
        time,
        np.array([170, 179, -179, -170, 0, 180]),
        np.array([0, 1, 2, 3, 4, 5]),
        magnitude=np.array([1, 2, 3, 4, 5, np.nan]),
        event_id=list("abcdef"),
        event_type=["earthquake", "", "explosion", "earthquake", "earthquake", "earthquake"],
    )
    write_events(path, events)
    return path


def test_events_by_command_line(shared, tmp_path):
    """The catalog as a layer, with counts as JSON and what was left out as warnings."""
    source = shared / "catalogs" / "usgs_week_feed.geojson"
    target = tmp_path / "events.gpkg"
    done = geotools("events", source, "-o", target, "--min-magnitude", 4.5, "--progress", "json")
    assert done.returncode == 0
    assert done.stderr == ""
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["event"] for line in told} == {"progress", "warning", "result"}
    result = told[-1]
    assert (result["format"], result["read"]) == ("geojson", 1679)
    assert result["skipped"][0]["reason"] == "event type explosion"
    assert result["read"] == result["written"] + sum(result["left_out"].values())
    layer = geopandas.read_file(target, layer="events")
    assert len(layer) == result["written"]
    assert layer["magnitude"].min() >= 4.5
    again = geotools("events", source, "-o", target)
    assert (again.returncode, again.stdout) == (1, "")
    assert "--overwrite" in again.stderr


def test_every_flag(tmp_path):
    """Types, times, box across 180° and format, by the flags."""
    source = make_catalog(tmp_path / "in.csv")
    target = tmp_path / "out.csv"
    done = geotools(
        "events", source, "-o", target, "--all-types", "--bbox", 175, -10, -175, 10,
        "--start", "2011-01-01", "--end", "2015-01-01", "--format", "events-csv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert read_events(target, all_types=True)["event_id"].tolist() == ["b", "c"]
    assert "2 of 6 events from events-csv" in done.stdout


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        (EventSelection(), "abdef"),
        (EventSelection(min_magnitude=2), "bde"),
        (EventSelection(start=datetime(2011, 1, 1), end=datetime(2014, 1, 1)), "bd"),
        (EventSelection(start=datetime(2015, 1, 1, tzinfo=UTC)), "f"),
        (EventSelection(bbox=(175, -10, -175, 10)), "bf"),
        (EventSelection(bbox=(175, -10, 190, 10)), "abdf".replace("a", "")),
        (EventSelection(bbox=(-180, 0, 180, 3)), "abd"),
        (EventSelection(bbox=(0, 4, 0.5, 5)), "e"),
    ],
)
def test_selections(tmp_path, selection, ids):
    """Start is wanted and end is not; boxes hold their edges and go across 180°."""
    made = map_events(make_catalog(tmp_path / "in.csv"), tmp_path / "out.csv", selection=selection)
    assert "".join(sorted(read_events(made.path)["event_id"])) == ids
    assert made.written == len(ids)
    assert made.report.read == made.written + sum(made.left_out.values())


def test_nothing_left_is_an_empty_layer_and_a_warning(tmp_path):
    """The conditions are the user's own, so an empty layer is the right answer."""
    said = []
    made = map_events(
        make_catalog(tmp_path / "in.csv"),
        tmp_path / "out.gpkg",
        selection=EventSelection(min_magnitude=9),
        warn=said.append,
    )
    assert made.written == 0
    assert "No event is left (5 smaller, or of unknown magnitude)" in said[-1]
    assert len(geopandas.read_file(tmp_path / "out.gpkg", layer="events")) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"bbox": (5, 10, 6, 9)},
        {"bbox": (5, 0, 5, 9)},
        {"bbox": (500, 0, 5, 9)},
        {"bbox": (float("nan"), 0, 5, 9)},
        {"min_magnitude": float("nan")},
        {"start": datetime(2020, 1, 1), "end": datetime(2020, 1, 1, tzinfo=UTC)},
    ],
)
def test_selections_that_cannot_be(wrong):
    """Refused where they are made."""
    with pytest.raises(EventsError):
        EventSelection(**wrong)


def test_bad_input(dem_tif, tmp_path):
    """A missing file, the input as output, a wrong ending, a raster: one sentence, exit 1."""
    source = make_catalog(tmp_path / "in.csv")
    target = tmp_path / "out.gpkg"
    for catalog, output, options in (
        (tmp_path / "missing.xml", target, {}),
        (source, source, {"overwrite": True}),
        (source, tmp_path / "out.tif", {}),
        (source, tmp_path / "no" / "out.gpkg", {}),
        (source, target, {"format": "dragon"}),
        (source, target, {"columns": {"time": "nothing"}}),
    ):
        with pytest.raises(GeotoolsError) as caught:
            map_events(catalog, output, **options)
        assert "\n" not in str(caught.value)
    done = geotools("events", dem_tif, "-o", target)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr.splitlines()) == 1
    assert not target.exists()
    assert geotools("events", source, "-o", target, "--start", "soon").returncode == 2
