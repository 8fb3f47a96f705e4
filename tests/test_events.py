"""The event table: its schema, its order, its refusals."""

import numpy as np
import pandas as pd
import pytest

from geotools.errors import EventsError
from geotools.events import COLUMNS, check_events, days, event_table

TIMES = np.array(["2020-01-02T03:04:05.678901", "1898-12-31T23:59:59.5"], dtype="datetime64[us]")


def table(**changed):
    parts = {"time": TIMES, "longitude": [190.0, -5.0], "latitude": [1.0, 2.0]} | changed
    return event_table(**parts)


def test_a_table_has_every_column_in_the_order_of_time():
    events = table(magnitude=[5.0, np.nan], event_id=["b", "a"], magnitude_type=["Mw", None])
    assert list(events.columns) == [*COLUMNS, "geometry"]
    assert list(events["event_id"]) == ["a", "b"]
    assert list(events["magnitude_type"]) == ["", "Mw"]
    assert str(events["time"].dtype) == "datetime64[us, UTC]"
    assert events.crs.to_epsg() == 4326
    assert events["time"][1] == pd.Timestamp("2020-01-02T03:04:05.678901Z")


def test_longitudes_east_of_180_are_wrapped():
    events = table()
    assert list(events["longitude"]) == [-5.0, -170.0]
    assert [point.x for point in events.geometry] == [-5.0, -170.0]


def test_days_keep_the_microsecond():
    """2020-01-02 is day 18263; a microsecond is 1.16e-11 of a day."""
    found = days(table()["time"])
    seconds = 3 * 3600 + 4 * 60 + 5.678901
    assert found[1] == pytest.approx(18263 + seconds / 86400, abs=5e-12)
    assert days(np.datetime64("1970-01-02")) == 1.0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"latitude": [1.0, 91.0]}, "latitude 91"),
        ({"latitude": [1.0, np.nan]}, "latitude nan"),
        ({"longitude": [400.0, 1.0]}, "longitude 400"),
        ({"magnitude": [1.0]}, "one value per event"),
        ({"time": np.array(["NaT", "2020-01-01"], dtype="datetime64[us]")}, "no time"),
    ],
)
def test_what_cannot_be_is_refused(changed, message):
    with pytest.raises(EventsError, match=message):
        table(**changed)


def test_a_checked_table_is_the_same_one():
    events = table()
    assert check_events(events) is events
    turned = events.iloc[::-1]
    assert check_events(turned)["time"].is_monotonic_increasing


@pytest.mark.parametrize("column", COLUMNS)
def test_a_table_without_a_column_is_refused(column):
    with pytest.raises(EventsError, match=column):
        check_events(table().drop(columns=column))


def test_times_without_a_zone_and_numbers_as_text_are_refused():
    events = table()
    with pytest.raises(EventsError, match="UTC"):
        check_events(events.assign(time=events["time"].dt.tz_localize(None)))
    with pytest.raises(EventsError, match="magnitude"):
        check_events(events.assign(magnitude="5"))


def test_no_events_are_a_table_too():
    events = event_table(np.array([], dtype="datetime64[us]"), np.array([]), np.array([]))
    assert len(events) == 0
    assert check_events(events) is events
