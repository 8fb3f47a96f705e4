"""geotools.batch.report: CSV, JSON and HTML of what others have named."""

import csv
import io
import json

import pytest

from geotools.batch.entries import BatchReport, Entry
from geotools.batch.report import as_csv, as_html, as_json, write_reports

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def report(tmp_path):
    entries = (
        Entry(
            input="=HYPERLINK(1)", files=("=x",), outputs=("a.tif",), status="done", seconds=1.5,
            result="-2 classes", area_m2={"=ice": 2.5e6, HOSTILE: 1e4},
            colors={"=ice": '#fff" onload="x'}, warnings=("@warn",),
            thumbnail="data:image/png;base64,AAAA",
        ),
        Entry(input="b", files=("b",), outputs=("b.tif",), status="failed", error=f"\t{HOSTILE}"),
        Entry(input="c", files=("c",), outputs=("c.tif",), status="not done"),
    )  # fmt: skip
    return BatchReport(folder=tmp_path, operation="predict", entries=entries, seconds=3)


def test_no_cell_is_a_formula(report):
    """Text that begins with = + - @ tab gets a quote; numbers do not."""
    rows = list(csv.reader(io.StringIO(as_csv(report))))
    assert rows[0][:3] == ["input", "status", "seconds"]
    assert rows[1] == ["'=HYPERLINK(1)", "done", "1.500", "a.tif", "'-2 classes", "", "'@warn",
                       "2500000.0", "10000.0"]  # fmt: skip
    assert rows[2][5].startswith("'\t")
    for row in rows:
        assert not any(cell.startswith(("=", "+", "@", "\t", "\r")) for cell in row)


def test_json_has_all_but_pictures(report):
    """Counts, and every input with its status."""
    values = json.loads(as_json(report))
    assert values["counts"] == {"done": 1, "kept": 0, "failed": 1, "not done": 1}
    assert values["inputs"][0]["area_m2"]["=ice"] == 2.5e6
    assert "thumbnail" not in values["inputs"][0]


def test_html_runs_nothing(report):
    """All text is escaped; no script, no address but that of the pictures."""
    text = as_html(report)
    assert "<script" not in text
    assert 'onload="' not in text
    assert "http" not in text.replace('http-equiv="Content-Security-Policy"', "")
    assert 'src="data:image/png;base64,AAAA"' in text
    assert text.index("failed") < text.index("=HYPERLINK")  # what needs a look comes first
    assert "=ice 2.50 km² (100%)" in text
    assert "(&lt;1%)" in text


def test_exit_codes(report):
    """0 all, 1 nothing, 3 some."""
    assert report.exit_code == 3
    done, failed, _ = report.entries
    kind = {"folder": report.folder, "operation": "predict", "seconds": 0}
    assert BatchReport(entries=(done,), **kind).exit_code == 0
    assert BatchReport(entries=(failed, failed), **kind).exit_code == 1


def test_reports_replace_earlier_ones(report, tmp_path):
    """Three files, nothing beside them."""
    write_reports(report)
    write_reports(report)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "batch.csv", "batch.html", "batch.json",
    ]  # fmt: skip
