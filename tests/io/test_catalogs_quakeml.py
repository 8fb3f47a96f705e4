"""QuakeML and SeisComP XML: the same values as ObsPy, and nothing else than whole events."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from obspy_files import as_tuples, by_obspy, obspy_file

from geotools.errors import EventsError
from geotools.io.catalogs import read_catalog
from geotools.io.catalogs.xml import Elements

BED = "http://quakeml.org/xmlns/bed/1.2"


def quakeml(*events: str, root: str = "q:quakeml", space: str = BED) -> str:
    """A document of these events."""
    prefix, _, name = root.rpartition(":")
    outer = f'xmlns:{prefix}="http://quakeml.org/xmlns/quakeml/1.2"' if prefix else ""
    return (
        f"<?xml version='1.0' encoding='utf-8'?>\n"
        f'<{prefix}{":" if prefix else ""}{name} xmlns="{space}" {outer}>\n'
        f'<eventParameters publicID="smi:test/1">\n{"".join(events)}</eventParameters></{root}>\n'
    )


def event(
    name="smi:test/event/1",
    time="2020-01-02T03:04:05.678901Z",
    longitude="8.5",
    latitude="46.5",
    depth="5000",
    mag="3.2",
    kind="earthquake",
) -> str:
    """One event with one origin and one magnitude; a part that is None is not there."""
    parts = {"time": time, "longitude": longitude, "latitude": latitude, "depth": depth}
    origin = "".join(
        f"<{key}><value>{value}</value></{key}>"
        for key, value in parts.items()
        if value is not None
    )
    magnitude = (
        f"<magnitude publicID='m'><mag><value>{mag}</value></mag><type>ML</type></magnitude>"
    )
    return (
        f"<event publicID='{name}'>"
        + (f"<type>{kind}</type>" if kind is not None else "")
        + f"<origin publicID='o'>{origin}</origin>"
        + (magnitude if mag is not None else "")
        + "</event>\n"
    )


def read(tmp_path: Path, text: str, **options):
    path = tmp_path / "catalog.xml"
    path.write_text(text, encoding="utf-8")
    return read_catalog(path, **options)


def assert_same(ours: dict[str, tuple], theirs: dict[str, tuple]) -> None:
    assert ours.keys() == theirs.keys()
    for name, values in theirs.items():
        for mine, other in zip(ours[name], values, strict=True):
            assert mine == other or (mine != mine and other != other), (name, ours[name], values)


@pytest.mark.parametrize(
    ("name", "count"),
    [("neries_events_quakeml", 3), ("seismostats_query_full_quakeml", 93)],
)
def test_shared_files_as_obspy(shared, name, count):
    """Every event of the shared files has exactly ObsPy's values."""
    path = shared / "catalogs" / f"{name}.xml"
    events, report = read_catalog(path, all_types=True)
    assert (len(events), report.format, report.skipped, report.notes) == (count, "quakeml", (), ())
    assert_same(as_tuples(events), by_obspy(path, "QUAKEML"))


def test_the_swiss_catalog_as_obspy(shared, tmp_path):
    """Every tenth event of the large file, by ObsPy, is exactly ours; explosions are counted."""
    path = shared / "catalogs" / "switzerland_sed_quakeml.xml"
    events, report = read_catalog(path)
    reasons = {item.reason: item.count for item in report.skipped}
    assert len(events) == 1107
    assert reasons == {
        "event type induced or triggered event": 16,
        "event type quarry blast": 10,
        "event type explosion": 6,
        "event type landslide": 3,
    }
    text = path.read_text(encoding="utf-8")
    head, *parts = text.split("<event ")
    parts[-1], tail = parts[-1].split("</eventParameters>")
    few = tmp_path / "few.xml"
    chosen = parts[::10]
    few.write_text(f"{head}<event {'<event '.join(chosen)}</eventParameters>{tail}", "utf-8")
    ours = as_tuples(read_catalog(path, all_types=True)[0])
    theirs = by_obspy(few, "QUAKEML")
    assert len(ours) == 1142
    assert len(theirs) == len(chosen) == 115
    assert_same({name: ours[name] for name in theirs}, theirs)


def test_files_that_come_with_obspy():
    """QuakeML and SCML of ObsPy's own tests have ObsPy's values."""
    for family, name, format in (
        ("quakeml", "iris_events.xml", "QUAKEML"),
        ("quakeml", "preferred.xml", "QUAKEML"),
        ("quakeml", "qml-example-1.2-RC3.xml", "QUAKEML"),
        ("quakeml", "invalid_enum.xml", "QUAKEML"),
        ("quakeml", "invalid_id.xml", "QUAKEML"),
        ("quakeml", "quakeml_1.2_origin.xml", "QUAKEML"),
        ("seiscomp", "iris_events.sc3ml", "SCML"),
        ("seiscomp", "qml-example-1.2-RC3.sc3ml", "SCML"),
        ("seiscomp", "quakeml_1.2_magnitude.sc3ml", "SCML"),
        ("seiscomp", "quakeml_1.2_quarryblast.scml", "SCML"),
        ("seiscomp", "scml_fields.scml", "SCML"),
    ):
        path = obspy_file(family, name)
        events, report = read_catalog(path, all_types=True)
        assert report.format == format.lower()
        ours, theirs = as_tuples(events), by_obspy(path, format)
        if name == "invalid_enum.xml":  # ObsPy forgets types that it does not know
            theirs = {key: (*row[:-1], ours[key][-1]) for key, row in theirs.items()}
        assert_same(ours, theirs)


@pytest.mark.parametrize(
    ("root", "space"),
    [
        ("quakeml", "http://quakeml.org/xmlns/quakeml/1.0"),
        ("q:quakeml", "http://quakeml.org/xmlns/bed/1.1"),
        ("anything:quakeml", BED),
        ("quakeml", ""),
        ("q:quakeml", "http://quakeml.org/xmlns/bed-rt/1.2"),
    ],
)
def test_any_version_and_any_prefix(tmp_path, root, space):
    """Namespaces of all versions, or none."""
    events, _ = read(tmp_path, quakeml(event(), root=root, space=space))
    assert events["depth_km"].tolist() == [5.0]
    assert str(events["time"][0]) == "2020-01-02 03:04:05.678901+00:00"


def test_origins_beside_the_events(tmp_path):
    """QuakeML's real-time dialect has origins beside events, which name them."""
    text = quakeml(
        "<event publicID='e'><preferredOriginID>o2</preferredOriginID><originReference>"
        "<originID>o1</originID></originReference><magnitudeReference><magnitudeID>m1</magnitudeID>"
        "</magnitudeReference></event>",
        *(
            f"<origin publicID='o{number}'><time><value>2020-01-0{number}T00:00:00Z</value></time>"
            f"<latitude><value>{number}</value></latitude><longitude><value>0</value></longitude>"
            "</origin>"
            for number in (1, 2)
        ),
        "<magnitude publicID='m1'><mag><value>4</value></mag><type>mb</type></magnitude>",
        space="http://quakeml.org/xmlns/bed-rt/1.2",
    )
    events, _ = read(tmp_path, text)
    assert events["latitude"].tolist() == [2.0]
    assert events["magnitude"].tolist() == [4.0]
    assert np.isnan(events["depth_km"][0])


def test_preferred_else_first(tmp_path):
    """The preferred origin and magnitude; the first where the id points nowhere."""
    body = "".join(
        f"<origin publicID='o{n}'><time><value>2020-01-01T00:00:0{n}Z</value></time><latitude>"
        f"<value>{n}</value></latitude><longitude><value>0</value></longitude></origin>"
        f"<magnitude publicID='m{n}'><mag><value>{n}</value></mag></magnitude>"
        for n in (1, 2)
    )
    ids = "<preferredOriginID>{}</preferredOriginID><preferredMagnitudeID>{}</preferredMagnitudeID>"
    events, _ = read(
        tmp_path,
        quakeml(
            f"<event publicID='a'>{body}{ids.format('o2', ' m2 ')}</event>",
            f"<event publicID='b'>{ids.format('gone', 'gone')}{body}</event>",
            f"<event publicID='c'>{body}</event>",
        ),
    )
    found = events.set_index("event_id")
    assert found.loc[["a", "b", "c"], "latitude"].tolist() == [2, 1, 1]
    assert found.loc[["a", "b", "c"], "magnitude"].tolist() == [2, 1, 1]


def test_one_bad_event_never_ends_the_reading(tmp_path):
    """Events that cannot be used are counted, with their line and why; the others are read."""
    text = quakeml(
        event("good"),
        event("no-size", mag=None, time="2020-01-03T00:00:00"),
        event("bad-size", mag="big", time="2020-01-04T00:00:00Z"),
        event("odd-type", kind="dragon", time="2020-01-05T00:00:00Z"),
        event("null-type", kind="null", time="2020-01-06T00:00:00Z"),
        "<event publicID='nothing'></event>\n",
        event("bad-time", time="yesterday"),
        event("no-time", time=None),
        event("nan-place", longitude="NaN"),
        event("no-place", latitude=None),
        event("far-place", latitude="91"),
    )
    events, report = read(tmp_path, text)
    assert set(events["event_id"]) == {"good", "no-size", "bad-size", "null-type"}
    assert events["magnitude"].isna().tolist() == [False, True, True, False]
    found = {item.reason: (item.count, item.example) for item in report.skipped}
    assert found == {
        "event type dragon": (1, "line 7 (odd-type)"),
        "no origin": (1, "line 9 (nothing)"),
        "no time": (2, "line 10 (bad-time)"),
        "no place": (2, "line 12 (nan-place)"),
        "impossible place": (1, "line 14 (far-place)"),
    }


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-06-30T23:59:60Z", "2020-07-01 00:00:00"),
        ("2020-01-01T00:00:00.1234567Z", "2020-01-01 00:00:00.123457"),
        ("2020-01-01T00:00:00.5+01:00", "2019-12-31 23:00:00.500000"),
        ("2020-01-01 00:00:00", "2020-01-01 00:00:00"),
        ("2020-01-01", "2020-01-01 00:00:00"),
        ("0217-01-01T00:00:00Z", "0217-01-01 00:00:00"),
    ],
)
def test_times(tmp_path, text, moment):
    """Times are read to the microsecond, in any zone; second 60 is the next minute."""
    events, _ = read(tmp_path, quakeml(event(time=text)))
    assert str(events["time"][0].tz_localize(None)) == moment


def test_a_file_that_breaks_off_is_refused(tmp_path):
    """Half a catalog lacks its end and nobody would see it: the sentence names the line."""
    text = quakeml(event("a"), event("b"), event("c"))
    with pytest.raises(EventsError, match=r"breaks off at line 6 .*fetch it again"):
        read(tmp_path, text[: text.index("<event publicID='c'") + 40])


def test_encodings(tmp_path):
    """UTF-8 and UTF-16 with and without mark, and what the declaration names."""
    text = quakeml(event("smi:test/Zürich"))
    path = tmp_path / "catalog.xml"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        path.write_bytes(text.replace("'utf-8'", "'utf-16'" if "16" in encoding else "'utf-8'")
                         .encode(encoding))  # fmt: skip
        assert read_catalog(path)[0]["event_id"].tolist() == ["smi:test/Zürich"], encoding
    path.write_bytes(text.replace("'utf-8'", "'iso-8859-1'").encode("latin-1"))
    assert read_catalog(path)[0]["event_id"].tolist() == ["smi:test/Zürich"]


def test_memory_does_not_grow_with_the_file(tmp_path):
    """What was passed is freed: the parent never holds more than a few elements."""
    path = tmp_path / "catalog.xml"
    path.write_text(quakeml(*(event(f"e{n}") for n in range(2000))), encoding="utf-8")
    most = 0
    with path.open("rb") as stream:
        elements = Elements(stream, ("event",))
        for element in elements:
            parent = element.getparent()
            elements.free(element)
            most = max(most, sum(1 for _ in parent if len(_) == 0))
    assert most < 400  # the events of one chunk of 64 KB


def test_obspy_is_not_imported(tmp_path):
    """Reading QuakeML costs no import of ObsPy."""
    path = tmp_path / "catalog.xml"
    path.write_text(quakeml(event()), encoding="utf-8")
    order = (
        "import sys; from geotools import read_events; "
        f"assert len(read_events({str(path)!r})) == 1; assert 'obspy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", order], check=True)
