"""A catalog's past becomes a report of how good forecasts would have been."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from geotools.errors import EventsError, FileError
from geotools.inference.choosing import generic_forecaster
from geotools.io.catalogs import read_events
from geotools.maps.evaluation import evaluate_forecast
from geotools.maps.evaluation_run import (
    EvaluationPeriod,
    Notes,
    first_issue,
    variance_ratio_before,
    windows_of,
)

BEGIN = np.datetime64("2010-01-01T00:00:00")
PERIOD = EvaluationPeriod(datetime(2013, 6, 1, tzinfo=UTC), datetime(2013, 9, 1, tzinfo=UTC), 3)


MAINSHOCK = 1266.5  # 2013-06-20


def write_catalog(path, *, count=700, change_after=None):
    """Events of M 3 and more for four years, one of M 6 in June 2013 with many aftershocks.

    Those after a day are others where that is asked for.
    """
    rng = np.random.default_rng(0)
    time = np.append(rng.uniform(0, 1460, count), MAINSHOCK)
    lon, lat = rng.normal(20, 0.6, count + 1), rng.normal(38, 0.4, count + 1)
    mag = np.append(3 + rng.exponential(0.43, count), 6.0)
    after = 10 ** rng.uniform(-2, 2, 120)  # days, by Omori's law
    time = np.append(time, MAINSHOCK + after)
    lon = np.append(lon, lon[-1] + rng.normal(0, 0.05, 120))
    lat = np.append(lat, lat[-1] + rng.normal(0, 0.05, 120))
    mag = np.append(mag, 3 + rng.exponential(0.43, 120))
    if change_after is not None:
        late = time >= change_after
        lon[late], lat[late] = lon[late][::-1], lat[late][::-1] + 0.1
    rows = [
        f"{BEGIN + np.timedelta64(int(t * 86_400_000), 'ms')}Z,{x:.4f},{y:.4f},10,{m:.1f},e{n}\n"
        for n, (t, x, y, m) in enumerate(zip(time, lon, lat, mag, strict=True))
    ]
    path.write_text("time,longitude,latitude,depth,magnitude,id\n" + "".join(rows))
    return path


def run(catalog, output, **changes):
    given = {"model": "generic", "period": PERIOD, "min_magnitude": 3.0, "simulations": 50}
    return evaluate_forecast(catalog, output, **{**given, **changes})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("evaluation")


@pytest.fixture(scope="module")
def catalog(folder):
    return write_catalog(folder / "events <&>.csv")


@pytest.fixture(scope="module")
def made(folder, catalog):
    return run(catalog, folder / "report.html", table=folder / "figures.json")


def test_the_windows_are_those_asked_for(made):
    record = made.assessment.record
    assert len(record.starts) == 30  # 92 days
    assert record.starts[0] == PERIOD.start
    assert (record.ends[-1] - record.starts[0]).days == 90
    assert record.names == ("etas", "uniform", "smoothed", "etas_primary", "mean")
    assert record.observed.sum() > 20


def test_the_report_is_there_and_names_its_catalog(made):
    text = made.path.read_text(encoding="utf-8")
    assert "events &lt;&amp;&gt;.csv" in text
    assert "<&>" not in text
    assert "No model is used" in text
    assert "--start 2013-06-01T00:00:00" in text


def test_the_table_holds_the_figures(made):
    body = json.loads(made.table.read_text(encoding="utf-8"))
    assert body["schema"] == 1
    assert body["windows"] == 30
    assert len(body["catalog"]["sha256"]) == 64
    gains = {
        row["baseline"]: row
        for row in body["figures"]
        if row["figure"] == "gain, nats per event" and row["forecast"] == "etas"
    }
    assert set(gains) == {"uniform", "smoothed", "etas_primary", "mean"}
    assert gains["smoothed"]["value"] == pytest.approx(made.assessment.gains[1].per_event)


def test_clustered_events_are_better_forecast_with_triggering(made):
    gains = {(gain.model, gain.baseline): gain.per_event for gain in made.assessment.gains}
    assert gains["etas", "smoothed"] > 0.5


def test_forecasts_do_not_know_what_comes(made, folder):
    """Other events after a window leave the forecasts up to it as they are, bit for bit."""
    day = (datetime(2013, 7, 16, tzinfo=UTC) - datetime(2010, 1, 1, tzinfo=UTC)).days
    other = run(write_catalog(folder / "other.csv", change_after=day), folder / "other.html")
    first, second = made.assessment.record, other.assessment.record
    change = datetime(2013, 7, 16, tzinfo=UTC)
    before = [number for number, end in enumerate(first.ends) if end <= change]
    assert len(before) == 15
    for name in first.names:
        np.testing.assert_array_equal(first.totals[name][before], second.totals[name][before])
        same = first.event_windows <= before[-1]
        again = second.event_windows <= before[-1]
        np.testing.assert_array_equal(first.log_rates[name][same], second.log_rates[name][again])
    assert not np.array_equal(first.totals["etas"], second.totals["etas"])


def test_the_same_command_gives_the_same_bytes(made, catalog, folder):
    """And a CSV table has one figure a row, empty where there is none."""
    text = made.path.read_bytes()
    again = run(catalog, folder / "report.html", table=folder / "figures.csv", overwrite=True)
    assert again.path.read_bytes() == text
    with again.table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0].keys() == {"figure", "forecast", "baseline", "value", "low_95", "high_95"}
    assert all(row["value"] == "" or not math.isnan(float(row["value"])) for row in rows)


def test_without_a_start_the_last_fifth_is_tested(catalog):
    """From midnight; windows end before the last event does, and steps may leave gaps."""
    events = read_events(catalog)
    start = first_issue(events, EvaluationPeriod())
    assert start == datetime(2013, 3, 13, tzinfo=UTC)
    period = EvaluationPeriod(start, None, 30, 31)
    forecaster = generic_forecaster(events, start=start, min_magnitude=3.0)
    windows = windows_of(events, forecaster, period)
    assert len(windows) == 9
    assert windows[1] == (start + timedelta(days=31), start + timedelta(days=61))
    ratio = variance_ratio_before(events, forecaster, start, 3.0)
    assert 0.5 < ratio < 2  # no sequence before
    assert variance_ratio_before(events, forecaster, datetime(2011, 6, 1, tzinfo=UTC), 3.0) is None


def test_notes_are_said_once():
    """Whatever their numbers, and in how many windows unless in all."""
    notes = Notes()
    for number in range(3):
        notes.add(f"The last event is {number + 7} days old.", "Always.")
    assert notes.sentences(3) == ("The last event is 7 days old.", "Always.")
    assert notes.sentences(5)[0] == "The last event is 7 days old. (In 3 of 5 windows.)"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"period": EvaluationPeriod(PERIOD.start, PERIOD.end, 3, 1)}, "twice"),
        ({"period": EvaluationPeriod(PERIOD.start, PERIOD.end, 300)}, "No window"),
        ({"period": EvaluationPeriod(PERIOD.end, PERIOD.start, 1)}, "No window"),
        ({"period": EvaluationPeriod(datetime(2000, 1, 1), None, 1)}, "later --start"),
        ({"period": EvaluationPeriod(PERIOD.start, None, 0.002)}, "longer --step"),
        ({"period": EvaluationPeriod(PERIOD.start, None, math.nan)}, "above 0.001"),
        ({"period": EvaluationPeriod(PERIOD.start, None, 1, math.inf)}, "above 0.001"),
        ({"simulations": 0}, "simulations"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_leaves_nothing(catalog, folder, changes, words):
    with pytest.raises(EventsError, match=words):
        run(catalog, folder / "none.html", table=folder / "none.csv", **changes)
    assert not list(folder.glob("none*"))


def test_a_table_of_another_kind_is_refused_before_any_work(catalog, folder):
    with pytest.raises(FileError, match="json"):
        run(catalog, folder / "none.html", table=folder / "none.xlsx")
    (folder / "there.html").write_text("kept")
    with pytest.raises(FileError, match="overwrite"):
        run(catalog, folder / "there.html")
    assert (folder / "there.html").read_text() == "kept"


def test_the_command_tells_its_result(catalog, folder):
    """One object for programs; one sentence when it fails."""

    def geotools(*words):
        return subprocess.run(
            [sys.executable, "-m", "geotools", *map(str, words)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = geotools(
        "evaluate", "forecast", catalog, "-o", folder / "told.html", "--model", "generic",
        "--start", "2013-06-01", "--end", "2013-07-01", "--horizon", 10, "--min-magnitude", 3,
        "--simulations", 20, "--progress", "json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["event"] == "result"
    assert result["windows"] == 3
    assert set(result["gains"]) == {"uniform", "smoothed", "etas_primary", "mean"}
    wrong = geotools("evaluate", "forecast", folder / "gone.csv", "-o", folder / "x.html")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("Error: ")
