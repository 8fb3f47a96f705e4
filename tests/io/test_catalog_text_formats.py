"""The text formats of agencies and programs: each is recognised, and read as its document says."""

from __future__ import annotations

import io
import warnings
from datetime import datetime
from pathlib import Path

import catalog_samples as samples
import numpy as np
import pytest

from geotools.errors import EventsError
from geotools.io.catalogs.report import Tally
from geotools.io.catalogs.text_formats import FORMATS

NAMES = [format.name for format in FORMATS]
SHARED = {
    "california_comcat_m32_1971_2020.csv": ("csv", 1),
    "california_comcat_m32_etas_scores.csv": (None, 0),
    "fdsn_text_darfield.txt": ("fdsn-text", 1),
    "global_usgs_m5_2009_2019.csv": ("usgs-csv", 1),
    "global_usgs_m6_1960_2019.csv": ("usgs-csv", 1),
    "italy_horus_mw25_1960_2014.csv": ("csv", 1),
    "italy_ingv_csep_2005_2014.csv": ("pycsep-csv", 1),
    "japan_jma_m45_1926_2007.csv": ("jma-csv", 1),
    "japan_usgs_1990_2010.csv": ("csv", 1),
    "ncedc_ncsn_readable_1966_2007.txt": ("ncedc", 1),
    "zmap_9col_swiss_1990.dat": ("zmap", 0),
    "usgs_week_feed.geojson": (None, 0),
    "switzerland_sed_quakeml.xml": (None, 0),
    "README.tsv": (None, 0),
}
"""File of the shared data -> format, lines of header."""


def recognised(head: bytes) -> str | None:
    return next((format.name for format in FORMATS if format.looks(head)), None)


def read(data: bytes | str, name: str | None = None):
    data = data.encode() if isinstance(data, str) else data
    format = FORMATS[NAMES.index(name or recognised(data))]
    tally = Tally()
    columns = format.read(io.BytesIO(data), tally)
    return columns, tally.report("catalog", format.name, len(columns["time"]))


@pytest.mark.parametrize("name", samples.TEXTS)
def test_the_first_event_of_every_format_is_the_same(name):
    columns, report = read(samples.TEXTS[name])
    assert (report.format, report.read, report.skipped) == (name, 2, ())
    assert columns["time"][0] == np.datetime64("2001-02-03T04:05:06.500000")
    values = [columns[key][0] for key in ("longitude", "latitude", "depth_km", "magnitude")]
    assert values == pytest.approx([139.5, 35.25, -10 if name == "jma-csv" else 10, 5.1], abs=1e-12)
    later = {"horus": "2020-09-22T11:01:04.29", "hypodd-pha": "2001-02-03T05:01:00",
             "isc-gem": "1904-04-04T10:26:00.88"}  # fmt: skip
    assert columns["time"][1] == np.datetime64(later.get(name, "2001-02-03T05:00:00"), "us")


@pytest.mark.parametrize(
    ("name", "kinds"),
    [("usgs-csv", ["earthquake", "quarry blast"]), ("geonet-csv", ["earthquake", "quarry blast"]),
     ("isc-csv", ["earthquake", "mining explosion"]), ("scedc", ["earthquake", "quarry blast"]),
     ("jma", ["earthquake", ""])],
)  # fmt: skip
def test_kinds_of_events_are_words_of_quakeml(name, kinds):
    columns, _ = read(samples.TEXTS[name])
    assert columns["event_type"].tolist() == kinds


@pytest.mark.parametrize(
    ("name", "scale"),
    [("usgs-csv", "mw"), ("fdsn-text", "Mw"), ("geonet-csv", "MLv"), ("isc-gem", "Mw"),
     ("horus", "Mw"), ("isc-csv", "MW"), ("ncedc", "Mw"), ("scedc", "Mw"), ("jma", "MV")],
)  # fmt: skip
def test_the_scale_of_a_magnitude_is_kept(name, scale):
    assert read(samples.TEXTS[name])[0]["magnitude_type"][0] == scale


@pytest.mark.parametrize("name", ["usgs-csv", "fdsn-text", "geonet-csv", "isc-csv", "ncedc", "zmap",
                                  "scedc", "jma", "csv"])  # fmt: skip
def test_a_magnitude_that_is_missing_is_nan(name):
    assert np.isnan(read(samples.TEXTS[name])[0]["magnitude"][1])


@pytest.mark.parametrize("name", samples.TEXTS)
@pytest.mark.parametrize("change", ["crlf", "cut", "no last newline", "spaces after lines"])
def test_a_format_is_recognised_by_any_beginning_of_a_file(name, change):
    text = samples.TEXTS[name]
    data = text.encode()
    if change == "crlf":
        data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    elif change == "cut":
        data = data + data.rstrip()[data.rstrip().rfind(b"\n") + 1 :][:-5]
    elif change == "no last newline":
        data = data.rstrip()
    elif name not in ("horus",):
        data = data.replace(b"\n", b"  \n")
    assert recognised(data) == name


@pytest.mark.parametrize("name", samples.TEXTS)
def test_a_row_that_is_rubbish_is_left_out_alone(name):
    lines = samples.TEXTS[name].splitlines(keepends=True)
    place = next(n for n, line in enumerate(lines) if "139.5" in line or "1393000" in line)
    bad = lines[place].replace("139.5", "13x.5").replace("1393000", "13x3000")
    _, report = read("".join([*lines[:place], bad, *lines[place:]]), name)
    assert report.read == 2
    assert [(item.count, item.example) for item in report.skipped] == [(1, f"line {place + 1}")]


def test_variants_are_read_too():
    for text, name in (
        (samples.HEADERLESS_PYCSEP, "pycsep-csv"), (samples.OLD_SCEDC, "scedc"),
        (samples.EHB, "isc-csv"), (samples.NINE_COLUMNS, "zmap"),
    ):  # fmt: skip
        columns, report = read(text)
        assert report.format == name
        assert columns["time"][0] >= np.datetime64("2001-02-03T04:05:00")
        assert (columns["longitude"][0], columns["magnitude"][0]) == (139.5, 5.1)


def test_simulated_catalogs_are_no_catalog():
    text = samples.HEADERLESS_PYCSEP + "139.5,35.25,5.1,2001-02-03T04:05:06.5,10.0,3,7\n"
    with pytest.raises(EventsError, match="2 simulated catalogs"):
        read(text)


def test_zero_is_an_unknown_magnitude_in_zmap_of_nine_columns_alone():
    columns, report = read(samples.NINE_COLUMNS)
    assert np.isnan(columns["magnitude"][1])
    assert "exactly 0" in report.notes[0]
    columns, _ = read(samples.TEXTS["zmap"].replace("NaN", "0.0"))
    assert columns["magnitude"][1] == 0


def test_years_of_two_digits_in_zmap_are_of_the_twentieth_century():
    text = samples.TEXTS["zmap"].replace("2001.", "85.")
    columns, report = read(text * 50 + "139.0\t35.0\t85.x\t2\t3\tNaN\t8.0\t5\t0\t0.0\n", "zmap")
    assert report.read == 100
    assert columns["time"][0] == np.datetime64("1985-02-03T04:05:06.5")
    assert "two digits" in report.notes[0]


@pytest.mark.parametrize(
    ("code", "magnitude"),
    [("51", 5.1), ("-3", -0.3), ("A0", -1.0), ("B2", -2.2), ("  ", np.nan), (" 4", 0.4)],
)
def test_the_magnitudes_of_jma_are_decoded(code, magnitude):
    text = samples.TEXTS["jma"].replace("14351V", f"143{code}V")
    np.testing.assert_allclose(read(text)[0]["magnitude"][0], magnitude)


def test_places_of_jma_south_and_west_of_zero_are_negative():
    text = samples.TEXTS["jma"].replace(" 351500", " -01500").replace(" 1393000", "-0103000")
    columns, _ = read(text)
    assert (columns["longitude"][0], columns["latitude"][0]) == (-10.5, -0.25)


def test_a_record_of_jma_has_the_values_that_its_document_gives_it():
    """A record of 2019-02-01: 00:01:40.45 JST, 36° 21.46′, 137° 03.44′, 6.99 km, Mv 0.3."""
    text = "J2019020100014045 008 362146 024 1370344 020  69914303v   511   4142TOYAMA      12A\n"
    columns, _ = read(text)
    assert columns["time"][0] == np.datetime64("2019-01-31T15:01:40.450000")
    place = [columns[name][0] for name in ("latitude", "longitude", "depth_km", "magnitude")]
    assert place == pytest.approx([36 + 21.46 / 60, 137 + 3.44 / 60, 6.99, 0.3])


def test_of_several_magnitudes_the_first_of_the_best_scale_is_taken():
    text = samples.TEXTS["isc-csv"].replace("GCMT     ,MW    , 5.1", "GCMT     ,mb    , 5.1")
    assert read(text)[0]["magnitude"][0] == 5.2
    text = text.replace("NIED     ,MW ", "NIED     ,ML ")
    assert read(text)[0]["magnitude"][0] == 5.0


@pytest.mark.parametrize(("file", "name", "header"), [(k, *v) for k, v in SHARED.items()])
def test_a_shared_file_is_recognised_and_read_row_for_row(shared: Path, file, name, header):
    data = (shared / "catalogs" / file).read_bytes()
    assert recognised(data[: 1 << 16]) == name
    if name is None:
        return
    columns, report = read(data)
    rows = [line for line in data.decode().splitlines()[header:] if line.strip()]
    assert report.read == len(rows)
    assert report.skipped == ()
    for row in range(0, len(rows), 97):
        assert columns["line"][row] == row + header + 1
        assert columns["time"][row].item() == _time(rows[row], name), rows[row]


def _time(row: str, name: str) -> datetime:
    """The time of a row of the shared files, by Python alone; JMA's nine hours before."""
    if name == "zmap":
        cells = row.split()
        return datetime(*map(int, (*cells[2:5], *cells[7:9])))
    if name == "ncedc":
        return datetime.strptime(row[:22], "%Y/%m/%d %H:%M:%S.%f")
    if name == "jma-csv":
        local = datetime.fromisoformat(" ".join(row.split(",")[:2]))
        return (local - datetime(1970, 1, 1, 9)) + datetime(1970, 1, 1)
    cells = row.split("|")[1:2] if name == "fdsn-text" else row.split(",")
    text = next(cell for cell in cells if len(cell) > 18 and cell[4:5] == cell[7:8] == "-")
    return datetime.fromisoformat(text.rstrip("Z"))


def test_the_table_of_jma_is_in_the_time_of_japan(shared: Path):
    """Most great earthquakes of the JMA table are those of the USGS within a minute, both in UTC;
    the table is about 39 s early throughout.
    """
    jma, _ = read((shared / "catalogs/japan_jma_m45_1926_2007.csv").read_bytes())
    usgs, _ = read((shared / "catalogs/japan_usgs_1990_2010.csv").read_bytes())
    great = jma["time"][(jma["magnitude"] >= 6.8) & (jma["time"] > np.datetime64("1990-01-01"))]
    apart = np.abs(great[:, None] - usgs["time"][None, :]).min(axis=1)
    assert np.median(apart) < np.timedelta64(60, "s")


def test_fixed_columns_of_ncedc_are_what_blanks_separate(shared: Path):
    data = (shared / "catalogs/ncedc_ncsn_readable_1966_2007.txt").read_bytes()
    columns, _ = read(data)
    rows = [line.split() for line in data.decode().splitlines()[1:]]
    for place, name in enumerate(("latitude", "longitude", "depth_km", "magnitude"), start=2):
        assert columns[name].tolist() == [float(row[place]) for row in rows]
    assert columns["magnitude_type"].tolist() == [row[6] for row in rows]
    assert columns["event_id"].tolist() == [row[-1] for row in rows]


def _obspy(path: Path, format: str):
    obspy = pytest.importorskip("obspy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return obspy.read_events(str(path), format=format)


@pytest.mark.parametrize(
    ("file", "format"),
    [
        ("io/zmap/tests/data/zmap_events.txt", "ZMAP"),
        ("io/hypodd/tests/data/example.pha", "HYPODDPHA"),
        ("io/hypodd/tests/data/60s_nan.pha", "HYPODDPHA"),
        (None, "EVENTTXT"),
    ],
)
def test_obspy_reads_the_same(shared: Path, file, format):
    obspy = pytest.importorskip("obspy")
    darfield = shared / "catalogs/fdsn_text_darfield.txt"
    path = Path(obspy.__file__).parent / file if file else darfield
    if not path.is_file():
        pytest.skip(f"ObsPy was installed without {path.name}")
    columns, report = read(path.read_bytes())
    events = _obspy(path, format)
    assert report.read == len(events)
    for row, event in enumerate(events):
        origin = event.origins[0]
        magnitude = event.magnitudes[0].mag if event.magnitudes else np.nan
        assert columns["time"][row] == np.datetime64(origin.time.datetime)
        assert columns["longitude"][row] == pytest.approx(origin.longitude, abs=1e-9)
        assert columns["latitude"][row] == pytest.approx(origin.latitude, abs=1e-9)
        assert columns["depth_km"][row] == pytest.approx(origin.depth / 1000)
        assert columns["magnitude"][row] == pytest.approx(magnitude, nan_ok=True)


@pytest.mark.parametrize(
    "head",
    [b"", b"\n", b"\x00\x01\x02" * 99, b"II*\0", b"\x89PNG\r\n\x1a\n", b"<?xml version='1.0'?><q/>",
     b'{"type": "FeatureCollection"}', b"[]", b"PK\x03\x04", b"SQLite format 3\0", b"hello\n",
     b"a,b,c\n1,2,3\n", b"lon,lat,elevation\n1,2,3\n", b"ncols 10\nnrows 10\nxllcorner 0\n",
     b"1 2 3 4 5 6 7 8 9\n" * 9 + b"x\n", b"1,2,3,4,5,6,7,8,9,10,11\n" * 3 + b'"'],
)  # fmt: skip
def test_what_is_no_catalog_is_recognised_by_none(head):
    assert recognised(head) is None


@pytest.mark.parametrize("format", FORMATS, ids=NAMES)
def test_no_format_claims_or_chokes_on_what_it_is_not(format):
    """Every recogniser and reader over every sample, and over bytes of no meaning."""
    rng = np.random.default_rng(1)
    rubbish = [rng.integers(0, 256, 3000, dtype=np.uint8).tobytes(), b"", b"\n" * 9, b'"' * 999]
    for data in [*(text.encode() for text in samples.TEXTS.values()), *rubbish]:
        assert isinstance(format.looks(data), bool)
        try:
            columns = format.read(io.BytesIO(data), Tally())
        except EventsError:
            continue
        assert len({len(values) for values in columns.values()}) == 1
