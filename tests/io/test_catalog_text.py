"""USGS CSV and tables with a header: the right rows, the right times, and what is left out."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from geotools.errors import EventsError
from geotools.io.catalogs.report import Tally
from geotools.io.catalogs.text_formats import FORMATS, mapped

USGS = (
    "time,latitude,longitude,depth,mag,magType,nst,gap,dmin,rms,net,id,updated,place,type,"
    "horizontalError,depthError,magError,magNst,status,locationSource,magSource"
)
ROW = (
    "2019-11-06T07:40:43.270Z,27.259,54.9533,10,5.3,mww,,36,2.564,0.95,us,us700063vr,"
    '2019-11-06T08:42:49.553Z,"76km SE of Lar, Iran",earthquake,7.4,1.8,0.071,19,reviewed,us,us'
)


def read(data, name=None):
    """Columns and report of the first format that recognises the data, or of the one named."""
    data = data.encode() if isinstance(data, str) else data
    format = next(item for item in FORMATS if (item.name == name if name else item.looks(data)))
    tally = Tally()
    columns = format.read(io.BytesIO(data), tally)
    lengths = {len(values) for values in columns.values()}
    assert len(lengths) == 1
    return columns, tally.report("catalog", format.name, lengths.pop())


def reasons(report):
    return {item.reason: (item.count, item.example) for item in report.skipped}


def times(*texts):
    return [np.datetime64(text, "us") for text in texts]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
def test_a_usgs_row_is_an_event_whatever_ends_the_line(end):
    columns, report = read(USGS + (end or "\n") + ROW + end)
    assert report.format == "usgs-csv"
    assert {name: values.tolist() for name, values in columns.items()} == {
        "line": [2],
        "time": [datetime(2019, 11, 6, 7, 40, 43, 270000)],
        "longitude": [54.9533], "latitude": [27.259], "depth_km": [10.0], "magnitude": [5.3],
        "magnitude_type": ["mww"], "event_id": ["us700063vr"], "event_type": ["earthquake"],
    }  # fmt: skip


def test_what_is_missing_is_nan_or_empty():
    columns, report = read(f"{USGS}\n1900-01-01T00:00:00Z,1,2,,,,,,,,,,,,\n")
    assert report.read == 1
    assert np.isnan([columns["depth_km"][0], columns["magnitude"][0]]).all()
    assert [columns[name][0] for name in ("magnitude_type", "event_id", "event_type")] == [""] * 3


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (ROW.replace("2019-11-06T07", "2019-13-06T07"), "time is not understood"),
        (ROW.replace("2019-11-06T07", "2019-02-30T07"), "time is not understood"),
        (ROW.replace("27.259", "27.2x9"), "latitude is not a number"),
        (ROW.replace("5.3", "inf"), "magnitude is not a number"),
        (ROW.replace(",10,", ",True,"), "depth is not a number"),
        (ROW.replace('"', ""), "more fields than the header has"),
        (ROW.replace('Iran"', "Iran"), "quotes that do not close"),
        (ROW.replace("27.259", "27\0.2"), "latitude is not a number"),
        (ROW.replace("Lar", "Lar" * 400_000), "a line of more than 1 MB"),
    ],
)
def test_a_row_that_cannot_be_read_is_left_out_alone(row, reason):
    columns, report = read(f"{USGS}\n{ROW}\n\n{row}\n{ROW}\n", "usgs-csv")
    assert report.read == 2
    assert reasons(report) == {reason: (1, "line 4")}
    assert set(columns["latitude"]) == {27.259}


def test_a_text_over_several_lines_is_one_row():
    text = "id,time,lat,lon,place,mag\n" + 'a,2001-01-01,1,2,"one,\ntwo",3\nb,2001-01-02,1,2,x,4\n'
    columns, report = read(text)
    assert columns["magnitude"].tolist() == [3, 4]
    assert report.skipped == ()


def test_bytes_of_another_encoding_do_not_matter():
    columns, _ = read(f"{USGS}\n{ROW}\n".replace("Lar", "Lár").encode("latin-1"))
    assert columns["magnitude"].tolist() == [5.3]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019-11-06T07:40:43.270Z", "2019-11-06T07:40:43.270"),
        ("2019-11-06 07:40:43.123456", "2019-11-06T07:40:43.123456"),
        ("2019-11-06T07:40:43.12345678Z", "2019-11-06T07:40:43.123457"),
        ("2019-11-06T07:40:43.270+00:00", "2019-11-06T07:40:43.270"),
        ("2019-11-06T07:40:43.5+09:30", "2019-11-05T22:10:43.5"),
        ("2019-11-06T07:40:43.5-0100", "2019-11-06T08:40:43.5"),
        ("2019-12-31T23:59:60.25Z", "2020-01-01T00:00:00.25"),
        ("1556-01-23T12:00:00", "1556-01-23T12:00:00"),
        ("0365-07-21T12:00", "0365-07-21T12:00:00"),
        ("2019/11/6 7:40", "2019-11-06T07:40:00"),
        ("06.11.2019 07:40:43", "2019-11-06T07:40:43"),
        ("20191106T074043.5", "2019-11-06T07:40:43.5"),
        ("20191106", "2019-11-06T00:00:00"),
        ("2019-11-06", "2019-11-06T00:00:00"),
        ("2020-02-29T24:00:00", "2020-03-01T00:00:00"),
    ],
)
def test_a_time_is_read_to_the_microsecond(text, expected):
    columns, _ = read(f"time;lat;lon\n{text};1;2\n")
    assert columns["time"].tolist() == times(expected)


@pytest.mark.parametrize(
    "text",
    ["2019-11-06T07:40:61Z", "2019-11-06T25:00:00", "2019-11-31", "2019-11-06T07:40:43.2x",
     "2019-11-06T07:40:43+99:00", "now", "0", "2019-11-06T07:40:43" + "0" * 50],
)  # fmt: skip
def test_what_is_no_time_is_left_out(text):
    _, report = read(f"time,lat,lon\n{text},1,2\n2000-01-01,1,2\n")
    assert report.read == 1
    assert reasons(report) == {"time is not understood": (1, "line 2")}


def test_the_dates_of_a_file_say_whether_the_day_comes_first():
    columns, _ = read("time,lat,lon\n3/4/2019 10:00,1,2\n23/4/2019 10:00,1,2\n")
    assert columns["time"].tolist() == times("2019-04-03T10:00", "2019-04-23T10:00")
    columns, _ = read("time,lat,lon\n3/4/2019 10:00,1,2\n3/24/2019 10:00,1,2\n")
    assert columns["time"].tolist() == times("2019-03-04T10:00", "2019-03-24T10:00")
    with pytest.raises(EventsError, match="year-month-day"):
        read("time,lat,lon\n3/4/2019 10:00,1,2\n")


@pytest.mark.parametrize(
    "table",
    [
        "Time;Longitude;Latitude;Depth (km);Mag\n2001-02-03 04:05:06,5;10,5;-20,25;7,5;4,5\n",
        "# from somewhere\ntime\tlon\tlat\tdep\tmagnitude\n"
        "2001-02-03T04:05:06.5Z\t10.5\t-20.25\t7.5\t4.5\n",
        "Date,Time,X,Y,depth_m,ML\n2001/02/03,04:05:06.5,10.5,-20.25,7500,4.5\n",
        "Yr Mo Dy Hr Mi Sec Lat Lon Depth Mw\n2001 2 3 4 5 6.5 -20.25 10.5 7.5 4.5\n",
        '"time","long","lat","depth","mag"\n"1",2001-02-03 04:05:06.5,10.5,-20.25,7.5,4.5\n',
    ],
)
def test_a_table_is_read_by_the_names_of_its_columns(table):
    columns, report = read(table)
    assert report.format == "csv"
    assert columns["time"].tolist() == times("2001-02-03T04:05:06.5")
    place = [columns[name][0] for name in ("longitude", "latitude", "depth_km", "magnitude")]
    assert place == [10.5, -20.25, 7.5, 4.5]


@pytest.mark.parametrize(
    "table",
    [
        "Evento;Fecha;Hora;Latitud;Longitud;Prof. (Km);Inten.;Mag.;Tipo Mag.;Localizaci\xf3n\n"
        "es1;27/02/2001;04:05:06;36,5;-3,25;7;;4,5;mbLg;NE\n",
        "EventID,Location,Latitude,Longitude,Depth,Type,Magnitude,Date\n"
        "es1,Somewhere,36.5,-3.25,7,mbLg,4.5,27/02/2001 04:05:06\n",
    ],
)
def test_tables_of_spanish_and_turkish_agencies_are_read(table):
    columns, _ = read(table.encode("latin-1"))
    names = ("longitude", "latitude", "depth_km", "magnitude", "magnitude_type", "event_id")
    assert [columns[name][0] for name in names] == [-3.25, 36.5, 7, 4.5, "mbLg", "es1"]
    assert columns["time"].tolist() == times("2001-02-27T04:05:06")


def test_the_type_of_a_magnitude_is_no_type_of_event():
    columns, _ = read("time,lat,lon,mag,type\n2001-01-01,1,2,3,ML\n2001-01-01,1,2,3,Mw\n")
    assert columns["magnitude_type"].tolist() == ["ML", "Mw"]
    assert "event_type" not in columns


def test_a_mapping_names_columns_or_numbers_them():
    names = {"time": "origin_utc", "longitude": "X", "latitude": "Y", "depth_m": "Z"}
    table = "X,Y,Z,origin_utc\n1,2,3000,2001-01-01\n"
    columns = mapped(names).read(io.BytesIO(table.encode()), Tally())
    assert [columns[name][0] for name in ("longitude", "latitude", "depth_km")] == [1, 2, 3]
    numbers = {"year": "1", "month": "2", "day": "3", "longitude": "5", "latitude": "4"}
    columns = mapped(numbers).read(io.BytesIO(b"1811 12 16 36 -90\n1812 1 23 36 -90\n"), Tally())
    assert columns["time"].tolist() == times("1811-12-16", "1812-01-23")
    assert columns["longitude"].tolist() == [-90, -90]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"tiem": "a", "longitude": "b", "latitude": "c"}, "tiem"),
        ({"longitude": "b", "latitude": "c"}, "lacks time"),
        ({"time": "when", "longitude": "b", "latitude": "c"}, "no column when: it has a, b, c"),
        ({"time": "1", "longitude": "2", "latitude": "9"}, "3 columns"),
        ({"time": "0", "longitude": "2", "latitude": "1"}, "columns"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(columns, says):
    with pytest.raises(EventsError, match=says):
        mapped(columns).read(io.BytesIO(b"a,b,c\n2001-01-01,2,3\n"), Tally())


@pytest.mark.parametrize("name", ["global_usgs_m5_2009_2019.csv", "global_usgs_m6_1960_2019.csv"])
def test_a_usgs_file_reads_as_pythons_csv_does(shared: Path, name: str):
    path = shared / "catalogs" / name
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns, report = read(path.read_bytes())
    assert report.format == "usgs-csv"
    assert report.read == len(rows)
    assert columns["event_id"].tolist() == [row["id"] for row in rows]
    assert columns["event_type"].tolist() == [row["type"] for row in rows]
    expected = [datetime.fromisoformat(row["time"]).astimezone(UTC) for row in rows]
    assert columns["time"].tolist() == [time.replace(tzinfo=None) for time in expected]
    for column, key in (("latitude", "latitude"), ("depth_km", "depth"), ("magnitude", "mag")):
        np.testing.assert_array_equal(columns[column], [float(row[key] or "nan") for row in rows])
    blasts = sum(row["type"] == "nuclear explosion" for row in rows)
    assert blasts == {"5": 4, "6": 57}.get(name[13], blasts)


@pytest.mark.parametrize(
    "name", ["time (JST)", "time (HST)", "Time(UTC+8)", "date time [local]", "Time_local"]
)
def test_a_time_that_is_not_utc_is_not_taken_for_it(name):
    text = f"{name},lat,lon\n2001-01-01 00:00:00,1,2\n".encode()
    assert not any(format.looks(text) for format in FORMATS)


@pytest.mark.parametrize(
    "name", ["time (UTC)", "Time[UT]", "Date (YYYY/MM/DD)", "origin time(GMT)"]
)
def test_a_time_that_says_it_is_utc_is_one(name):
    columns, _ = read(f"sep=,\n{name},lat,lon\n2001-01-01 00:00:00,1,2\n")
    assert columns["time"].tolist() == times("2001-01-01")


def test_a_blank_time_of_day_is_midnight_and_a_blank_date_no_time():
    text = "year,month,day,hour,minute,lat,lon\n1755,11,1,,,1,2\n1755,,1,9,40,1,2\n"
    columns, report = read(text)
    assert columns["time"].tolist() == [*times("1755-11-01"), None]
    assert report.skipped == ()


def test_names_of_rows_do_not_shift_mapped_columns():
    table = b'"when","X","Y"\n"1",2001-01-01,1,2\n"2",2001-01-02,1,2\n'
    names = {"time": "when", "longitude": "X", "latitude": "Y"}
    columns = mapped(names).read(io.BytesIO(table), Tally())
    assert columns["latitude"].tolist() == [2, 2]


def test_codes_of_kinds_of_events_are_put_into_words():
    columns, _ = read("time,lat,lon,type\n2001-01-01,1,2,ke\n2001-01-01,1,2,km\n")
    assert columns["event_type"].tolist() == ["earthquake", "mining explosion"]


def test_one_row_without_a_line_end_is_a_table():
    columns, _ = read("Date,Time,X,Y\n2001/02/03 04:05:06,04:05:06,1,2")
    assert columns["time"].tolist() == times("2001-02-03T04:05:06")
