"""read_events: the format by its content, the same rules for all formats, a report of the rest."""

import gzip
import json

import numpy as np
import pytest
from obspy_files import as_tuples, by_obspy, obspy_file

import geotools
from geotools.errors import EventsError
from geotools.events import COLUMNS
from geotools.io.catalogs import formats, read_catalog, read_events
from geotools.io.catalogs.report import Tally
from geotools.io.catalogs.tidying import tidied


def tidy(all_types=False, **columns):
    """The table and the report of columns as a format gives them."""
    tally = Tally()
    count = max(map(len, columns.values()))
    whole = {
        "time": np.datetime64("2020-01-01", "us") + np.arange(count) * np.timedelta64(1, "s"),
        "longitude": np.arange(count, dtype=float),
        "latitude": np.zeros(count),
        **columns,
    }
    events = tidied(whole, tally, all_types=all_types)
    return events, tally.report("f", "test", len(events))


def feature(**changes) -> dict:
    told = {"mag": 4.5, "time": 1517966773840, "type": "earthquake", "magType": "mb"}
    place = changes.pop("place", [-118.6, 34.4, 26.49])
    return {
        "type": "Feature",
        "id": changes.pop("id", "us1"),
        "properties": told | changes,
        "geometry": {"type": "Point", "coordinates": place},
    }


def collection(*features) -> str:
    return json.dumps({"type": "FeatureCollection", "metadata": {"count": 1}, "features": features})


def test_the_usgs_feed(shared):
    """Every feature of the feed, with the values that Python's json has."""
    path = shared / "catalogs" / "usgs_week_feed.geojson"
    events, report = read_catalog(path, all_types=True)
    features = json.loads(path.read_bytes())["features"]
    assert (len(events), report.format, report.skipped) == (1707, "geojson", ())
    found = events.set_index("event_id")
    for item in features:
        row, told = found.loc[item["id"]], item["properties"]
        longitude, latitude, depth = item["geometry"]["coordinates"]
        assert row["time"].value == told["time"] * 1_000_000
        assert [row["longitude"], row["latitude"]] == [longitude, latitude]
        assert row["depth_km"] == depth or (depth is None and np.isnan(row["depth_km"]))
        assert row["magnitude"] == told["mag"] or (told["mag"] is None and np.isnan(row.magnitude))
        assert (row["magnitude_type"], row["event_type"]) == (told["magType"] or "", told["type"])
    kept, report = read_catalog(path)
    assert len(kept) == 1707 - 28
    reasons = {item.reason: item.count for item in report.skipped}
    assert reasons == {"event type explosion": 15, "event type quarry blast": 13}


def test_geojson_of_all_kinds(tmp_path):
    """Nulls, missing parts and times as text; what has no point is counted by its number."""
    path = tmp_path / "catalog.geojson"
    path.write_text(
        collection(
            feature(id="null", mag=None, place=[1, 2, None]),
            feature(id="flat", place=[1, 3], depth_km=7),
            feature(id="text", time="2018-02-07T01:26:13.840001Z"),
            feature(id="none", time=None),
            {"type": "Feature", "geometry": None, "properties": None},
            {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0, 0]]]}},
            None,
        ),
        encoding="utf-8",
    )
    events, report = read_catalog(path)
    found = events.set_index("event_id")
    assert np.isnan(found.loc["null", ["magnitude", "depth_km"]].astype(float)).all()
    assert found.loc["flat", "depth_km"] == 7
    assert found.loc["text", "time"].microsecond == 840001
    reasons = {item.reason: (item.count, item.example) for item in report.skipped}
    assert reasons == {"no point": (3, "feature 5"), "no time": (1, "none")}
    path.write_text(json.dumps(feature()), encoding="utf-8")
    assert len(read_events(path)) == 1


def test_json_in_any_pieces(tmp_path, monkeypatch):
    """Where the pieces end that the file is read in changes nothing, faults and their lines too."""
    path = tmp_path / "catalog.geojson"
    whole = collection(*(feature(id=f"é{n}", time=n) for n in range(5))).replace("}, ", "},\n")
    path.write_text(whole, encoding="utf-8")
    events = read_events(path)
    for size in (1, 2, 3, 7, 64):
        monkeypatch.setattr("geotools.io.catalogs.json_stream._CHUNK", size)
        path.write_text(whole, encoding="utf-8")
        assert read_events(path).equals(events)
        for broken, line in (
            (whole[:-40], whole.count("\n") + 1),
            (whole.replace('"id": "', '"id" "', 1), 2),
            (whole + "\n{}", whole.count("\n") + 2),
        ):
            path.write_text(broken, encoding="utf-8")
            with pytest.raises(EventsError, match=f"at line {line} "):
                read_events(path)


def test_the_same_packed(shared, tmp_path):
    """A packed catalog gives the same table, whatever it is called."""
    path = shared / "catalogs" / "usgs_week_feed.geojson"
    for name in ("feed.geojson.gz", "feed.gz", "feed"):
        packed = tmp_path / name
        packed.write_bytes(gzip.compress(path.read_bytes(), 1))
        assert read_events(packed).equals(read_events(path))


def test_content_before_name(tmp_path, shared):
    """A wrong ending misleads nobody; a format that is named is taken at its word."""
    path = tmp_path / "catalog.csv"
    path.write_bytes((shared / "catalogs" / "neries_events_quakeml.xml").read_bytes())
    assert read_catalog(path)[1].format == "quakeml"
    assert read_catalog(path, format="QuakeML")[1].read == 3
    with pytest.raises(EventsError, match="GeoJSON"):
        read_events(path, format="geojson")
    with pytest.raises(EventsError, match=r"no format 'dragon': choose from .*geojson.*quakeml"):
        read_events(path, format="dragon")
    with pytest.raises(EventsError, match="not both"):
        read_events(path, format="quakeml", columns={"time": "t"})


def test_every_format_has_a_name_of_its_own():
    """Names are lower case with hyphens; titles are there."""
    for format in formats():
        assert format.name == format.name.lower()
        assert " " not in format.name
        assert format.title


def test_the_report_goes_with_the_table(shared):
    """`attrs` hold the report as plain values, which survive what pandas does with a table."""
    events = read_events(shared / "catalogs" / "usgs_week_feed.geojson")
    told = events[events["magnitude"] > 2].copy().attrs["report"]
    assert told["format"] == "geojson"
    assert told["skipped"][0] == {
        "reason": "event type explosion", "count": 15, "example": "nn00620911",
    }  # fmt: skip
    assert json.dumps(told)
    assert geotools.read_events is read_events


def test_only_earthquakes_by_default():
    """Unknown types count as earthquakes, induced events do not; words are brought to QuakeML's."""
    kinds = [
        "earthquake",
        "",
        None,
        "Quarry_Blast",
        "not reported",
        "NULL",
        "unknown",
        "Earthquake",
    ]
    kinds += ["induced or triggered event", " explosion "]
    events, report = tidy(event_type=kinds)
    assert len(events) == 7
    assert {item.reason for item in report.skipped} == {
        "event type quarry blast", "event type explosion",
        "event type induced or triggered event",
    }  # fmt: skip
    assert report.skipped_count == 3
    assert len(tidy(event_type=kinds, all_types=True)[0]) == 10


def test_what_cannot_be_placed_is_left_out_with_its_line():
    """No time, NaN and infinite places, impossible ones: each by its reason, with line and id."""
    time = np.array(["2020-01-01", "NaT"] + ["2020-01-02"] * 5, dtype="datetime64[us]")
    events, report = tidy(
        time=time,
        longitude=[1, 1, np.nan, 2, np.inf, 3, 361],
        latitude=[1, 1, 1, 90.5, 1, -90, 1],
        event_id=list("abcdefg"),
        line=np.arange(7) + 2,
    )
    assert events["event_id"].tolist() == ["a", "f"]
    assert {item.reason: (item.count, item.example) for item in report.skipped} == {
        "no time": (1, "line 3 (b)"),
        "no place": (2, "line 4 (c)"),
        "impossible place": (2, "line 5 (d)"),
    }


def test_longitudes_and_order():
    """0 to 360 becomes -180 to 180; rows come in the order of time, equal times as in the file."""
    time = np.array(["2020-01-03", "1899-05-05", "2020-01-01", "2020-01-01"], "datetime64[us]")
    events, report = tidy(time=time, longitude=[190, 180, 359.5, -180], event_id=list("abcd"))
    assert events["event_id"].tolist() == ["b", "c", "d", "a"]
    assert events["longitude"].tolist() == [180, -0.5, -180, -170]
    assert list(events.columns) == [*COLUMNS, "geometry"]
    assert report.notes == ()


def test_times_in_the_future_are_told():
    """They are kept: a wrong clock is for people to judge."""
    events, report = tidy(time=np.array(["2020-01-01", "2500-01-01"], "datetime64[us]"))
    assert len(events) == 2
    assert report.notes == ("Events with times in the future: 1.",)


@pytest.mark.parametrize(
    ("given", "known", "note"),
    [
        ([5.0, 12.0, 700.0], [5.0, 12.0, 700.0], None),
        ([12000.0, 5000.0, 0.0, 300.0], [12.0, 5.0, 0.0, 0.3], "metres"),
        ([-12.0, -35.0, 0.0, 2.0], [12.0, 35.0, 0.0, -2.0], "downwards"),
        ([-12000.0, -35000.0, 0.0], [12.0, 35.0, 0.0], "downwards"),
        ([-1.5, -2.0, 0.5], [-1.5, -2.0, 0.5], "sea level"),
        ([10.0, 10.0, 9999.0, -999.0], [10.0, 10.0, np.nan, np.nan], "impossible"),
        ([np.inf, np.nan], [np.nan, np.nan], None),
    ],
)
def test_depths(given, known, note):
    """Metres under a header of km, depths counted negative, impossible ones: put right and told."""
    events, report = tidy(depth_km=given)
    np.testing.assert_array_equal(events["depth_km"], known)
    assert not np.signbit(events["depth_km"][events["depth_km"] == 0]).any()
    assert any(note in said for said in report.notes) if note else report.notes == ()


def test_magnitudes_that_stand_for_nothing():
    """-9, 99 and infinity are no magnitudes; -8 in a laboratory is one."""
    events, report = tidy(magnitude=[-9.0, 99.0, np.inf, -8.0, 9.5, np.nan])
    np.testing.assert_array_equal(events["magnitude"], [np.nan, np.nan, np.nan, -8.0, 9.5, np.nan])
    assert report.notes == ("Magnitudes that are impossible and count as unknown: 2.",)


def test_repeated_events():
    """The same id within a day is one event; a number used again later is not."""
    time = np.array(
        [
            "2020-01-01T00:00:00",
            "2020-01-01T00:00:02",
            "2021-01-01T00:00:00",
            "2020-01-01T12:00:00",
        ],
        dtype="datetime64[us]",
    )
    events, report = tidy(
        time=time, longitude=np.zeros(4), event_id=list("aaab"), line=np.arange(1, 5)
    )
    assert events["longitude"].size == 3
    assert [(item.reason, item.count, item.example) for item in report.skipped] == [
        ("repeated event", 1, "line 2 (a)")
    ]
    assert "more than a day" in report.notes[0]


def test_rows_without_ids_are_repeated_when_all_is_equal():
    """Two events of one second and place but two sizes are two; equal rows are one."""
    same = np.full(3, np.datetime64("2020-01-01T00:00:07", "us"))
    events, report = tidy(time=same, longitude=np.zeros(3), magnitude=[3.0, 3.1, 3.0])
    assert events["magnitude"].tolist() == [3.0, 3.1]
    assert report.skipped[0].reason == "repeated event"
    coarse = same.astype("datetime64[m]").astype("datetime64[us]")
    events, report = tidy(time=coarse, longitude=np.zeros(3), magnitude=[3.0, 3.1, 3.0])
    assert len(events) == 3
    assert report.notes == (
        "Events kept although they equal another one, with times to the minute: 1.",
    )


def test_columns_of_different_lengths_are_refused():
    """A reader that is at odds with itself is told, not guessed at."""
    with pytest.raises(EventsError, match="magnitude has 2 values, time 3"):
        tidy(longitude=np.zeros(3), latitude=np.zeros(3), magnitude=[1.0, 2.0])


def test_no_earthquakes_is_an_error_that_says_why(tmp_path):
    """A catalog of explosions alone is told from an empty one."""
    path = tmp_path / "catalog.geojson"
    path.write_text(collection(feature(type="explosion")), encoding="utf-8")
    with pytest.raises(EventsError, match=r"1 event type explosion.*--all-types"):
        read_events(path)
    assert len(read_events(path, all_types=True)) == 1
    path.write_text(collection(), encoding="utf-8")
    with pytest.raises(EventsError, match="holds no events"):
        read_events(path, all_types=True)


def test_ndk_is_read_as_by_obspy():
    """Centroids of the Global CMT catalog: the values of ObsPy, and agency's ids."""
    path = obspy_file("ndk", "multiple_events.ndk")
    events, report = read_catalog(path)
    theirs = by_obspy(path, "NDK")
    assert report.format == "ndk"
    assert as_tuples(events) == {name.split("/")[2]: row for name, row in theirs.items()}


def test_ndk_with_faults():
    """Entries that cannot be read are counted; the others are read."""
    path = obspy_file("ndk", "faulty_multiple_events.ndk")
    events, report = read_catalog(path)
    assert len(events) + report.skipped_count == 7
    assert report.skipped[0].example.startswith("line 6")


def test_texts_that_would_harm_a_terminal_or_a_file(tmp_path):
    """Control signs and halves of signs are replaced; reasons are short and plain."""
    path = tmp_path / "catalog.geojson"
    path.write_text(
        collection(
            feature(id="a\x00b\ud800c"),
            feature(id="\x1b[2J\n", type="\x1b[31mred" + "x" * 10_000, time=5),
        ),
        encoding="utf-8",
    )
    events, report = read_catalog(path)
    assert events["event_id"].tolist() == ["a\ufffdb\ufffdc"]
    assert len(report.skipped[0].reason) < 400
    assert (report.skipped[0].reason + report.skipped[0].example).isprintable()


def test_any_number_of_types_is_counted_at_once():
    """The most frequent other types are named, the rest counted together."""
    kinds = [f"type {n}" for n in range(5000)] + ["quarry blast"] * 3 + ["earthquake"]
    events, report = tidy(event_type=kinds, longitude=np.zeros(len(kinds)))
    assert len(events) == 1
    assert report.skipped_count == 5003
    assert len(report.skipped) == 11
    assert report.skipped[0].reason == "event type, others"
    assert report.skipped[1].reason == "event type quarry blast"
