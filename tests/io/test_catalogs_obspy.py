"""What ObsPy reads for us, by name; and its objects as tables and back."""

import warnings

import numpy as np
import pytest
from obspy_files import by_obspy, obspy_file

from geotools.errors import EventsError
from geotools.events import event_table
from geotools.io.catalogs import events_from_obspy, events_to_obspy, read_catalog, read_events
from geotools.io.catalogs.through_obspy import FORMATS

FILES = [
    ("cmtsolution", "MULTIPLE_EVENTS", "CMTSOLUTION", 4),
    ("gse2", "bulletin/gse_2.0_2_events.txt", "GSE2", 2),
    ("iaspei", "19670130012028.isf", "IMS10BULLETIN", 1),
    ("iaspei", "ipe202409sel_ims.txt", "IMS10BULLETIN", 2),
    ("nlloc", "vanua.sum.grid0.loc.hyp", "NLLOC_HYP", 3),
    ("nlloc", "nlloc.hyp", "NLLOC_HYP", 1),
    ("nordic", "select.out", "NORDIC", 50),
    ("nordic", "01-0411-15L.S201309", "NORDIC", 1),
    ("pde", "mchedr.dat", "MCHEDR", 1),
    ("nied", "FNETMTCATALOG", "FNETMT", 1),
    ("scardec", "test.scardec", "SCARDEC", 1),
    ("sh", "local1.evt", "EVT", 1),
]


@pytest.mark.parametrize(("family", "name", "format", "count"), FILES)
def test_formats_through_obspy(family, name, format, count):
    """Recognised by content, named in the report, with ObsPy's values; nothing leaks."""
    path = obspy_file(family, name)
    events, report = read_catalog(path, all_types=True)
    assert report.format == format.lower().replace("_", "-")
    assert len(events) == count
    theirs = by_obspy(path, format)
    assert sorted(row[0] for row in theirs.values()) == list(
        events["time"].dt.tz_localize(None).to_numpy("datetime64[us]")
    )
    for index, column in enumerate(("longitude", "latitude", "depth_km", "magnitude"), start=1):
        np.testing.assert_array_equal(
            np.sort(events[column]), np.sort([row[index] for row in theirs.values()])
        )
    assert not events["event_id"].str.contains("[0-9a-f]{8}-[0-9a-f]{4}-").any()


def test_the_same_file_twice_gives_the_same_table():
    """Ids that ObsPy makes up at every reading are none."""
    path = obspy_file("nordic", "select.out")
    assert read_events(path).equals(read_events(path))


def test_what_obspy_cannot_read_is_one_sentence(tmp_path):
    """Its exceptions and warnings become ours."""
    path = obspy_file("gse2", "bulletin/gse_2.0_incomplete.txt")
    with pytest.raises(EventsError, match="ObsPy cannot read it as GSE2 bulletin"):
        read_events(path)
    prose = tmp_path / "prose.txt"
    prose.write_text("nothing of the kind\n" * 10)
    for format in FORMATS:
        with pytest.raises(EventsError):
            read_events(prose, format=format.name)
    _, report = read_catalog(obspy_file("nordic", "Sfile_extra_header"))
    assert report.notes[0].startswith("ObsPy says: ")


def test_only_formats_that_neither_run_nor_fetch():
    """ObsPy's list is an allow-list of text formats."""
    names = {format.name for format in FORMATS}
    assert not names & {"pickle", "csz", "json", "kml", "shapefile", "quakeml", "scml"}


def make_events():
    return event_table(
        np.array(["2020-01-01T00:00:00.123457", "2021-05-06T07:08:09"], "datetime64[us]"),
        np.array([8.123456789, -179.9]),
        np.array([46.5, -12.25]),
        depth_km=np.array([5.673828, np.nan]),
        magnitude=np.array([1.271934496, np.nan]),
        magnitude_type=["MLhc", ""],
        event_id=["smi:ch.ethz.sed/event/1", "us2"],
        event_type=["earthquake", "quarry blast"],
    )


def test_to_obspy_and_back():
    """Every column returns as it was, to the microsecond."""
    events = make_events()
    catalog = events_to_obspy(events)
    assert len(catalog) == 2
    assert catalog[0].preferred_origin().depth == 5673.828
    assert catalog[1].magnitudes == []
    assert events_from_obspy(catalog, all_types=True).equals(events)
    assert len(events_from_obspy(catalog)) == 1
    report = events_from_obspy(catalog).attrs["report"]
    assert report["skipped"][0]["reason"] == "event type quarry blast"


def test_through_quakeml_of_obspy_and_back(tmp_path):
    """What ObsPy writes from our table is our table again."""
    events = make_events().iloc[:1]
    path = tmp_path / "catalog.xml"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        events_to_obspy(events).write(str(path), format="QUAKEML")
    assert read_events(path).equals(events)


def test_events_without_origin_or_id(tmp_path):
    """An Event without origin is counted; ids that ObsPy made up are none."""
    events_to_obspy(make_events())  # imports ObsPy without its warnings
    from obspy.core.event import Event

    catalog = events_to_obspy(make_events().assign(event_id=""))
    catalog.append(Event())
    events = events_from_obspy(list(catalog), all_types=True)
    assert events["event_id"].tolist() == ["", ""]
    assert events.attrs["report"]["skipped"][0]["example"] == "event 3"
    for wrong in (None, 3, "catalog.xml", ["a"], {"a": 1}):
        with pytest.raises(EventsError, match="not a Catalog of ObsPy"):
            events_from_obspy(wrong)
    with pytest.raises(EventsError):
        events_to_obspy(make_events().drop(columns="time"))
