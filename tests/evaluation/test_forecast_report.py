"""The report: one file that is complete, safe and says what was found."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from forecast_runs import make_windows

from geotools.evaluation.assessment import assess
from geotools.evaluation.forecasts import Observed, score_forecasts
from geotools.evaluation.report import RunFacts, report_html

HOSTILE = '<script>alert("1")</script> $\\frac & \u202e x'

FACTS = RunFacts(
    title="Forecasts of a test",
    catalog="events.csv",
    catalog_sha256="0" * 64,
    model={"name": "model", "version": "1.2", "sha256": "f" * 64},
    horizon_days=5,
    step_days=5,
    command="geotools evaluate forecast events.csv -o report.html --seed 0",
    software="geotools 0.1.0",
    notes=("A note.",),
    left_out={"no magnitude": 3},
)


class Page(HTMLParser):
    """Tags, their attributes, and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.words += data


@pytest.fixture(scope="module")
def assessment():
    return assess(score_forecasts(make_windows(80)), variance_ratio=2.0, simulations=50)


@pytest.fixture(scope="module")
def page(assessment):
    text = report_html(assessment, FACTS)
    return text, Page(text)


def test_the_page_is_well_formed_and_needs_nothing_else(page):
    """Every tag is closed, no script, and every address is inside the file."""
    text, parsed = page
    assert parsed.open == []
    assert "script" not in {tag for tag, _ in parsed.tags}
    for _, attributes in parsed.tags:
        for name in ("src", "href", "srcset", "action"):
            assert (attributes.get(name) or "data:image/").startswith("data:image/")
        assert not any(name.startswith("on") for name in attributes)
    assert "url(" not in text
    assert "default-src 'none'" in text
    assert len(text) < 2_000_000


def test_every_picture_says_what_it_shows(page):
    pictures = [attributes for tag, attributes in page[1].tags if tag == "img"]
    assert len(pictures) == 5
    assert all(len(attributes["alt"]) > 30 for attributes in pictures)


def test_every_baseline_and_test_is_there(page):
    words = page[1].words
    for word in (
        "uniform Poisson", "smoothed seismicity", "binary S", "CL", "negative binomial",
        "consistent at 5 %", "95 % by months", "Brier", "area skill", "no magnitude", "A note.",
        "f" * 64, "0" * 64, FACTS.command, "Seed 0", "2015-01-01",
    ):  # fmt: skip
        assert word in words, word


def test_text_of_others_is_shown_and_never_obeyed(assessment):
    """Names of files and models, and reasons, are text, whatever signs they hold."""
    names = {"model": HOSTILE, "uniform": "uniform", "smoothed": "smoothed"}

    def renamed():
        for forecasts, seen in make_windows(30):
            yield {names[key]: value for key, value in forecasts.items()}, seen

    found = assess(score_forecasts(renamed()), simulations=20)
    facts = replace(
        FACTS, title=HOSTILE, catalog=HOSTILE, model={"name": HOSTILE}, command=HOSTILE,
        notes=(HOSTILE,), left_out={HOSTILE: 1},
    )  # fmt: skip
    text = report_html(found, facts)
    assert "<script" not in text
    parsed = Page(text)
    assert "script" not in {tag for tag, _ in parsed.tags}
    assert parsed.words.count('alert("1")') >= 7


def test_the_same_run_gives_the_same_bytes(assessment):
    assert report_html(assessment, FACTS) == report_html(assessment, FACTS)


def test_a_gain_that_may_be_none_is_said_to(assessment):
    """The summary names the interval, and says so when it holds 0."""
    words = Page(report_html(assessment, FACTS)).words
    for gain in assessment.gains[:2]:
        low, high = gain.month_interval
        assert f"95 % by months: {low:.3f} to {high:.3f}" in words
    holds = [
        low <= 0 <= high for low, high in (gain.month_interval for gain in assessment.gains[:2])
    ]
    assert words.count("no gain cannot be excluded") == sum(holds)


def test_a_run_without_events_is_a_report_with_dashes():
    empty = Observed(*(np.zeros(0) for _ in range(4)))
    record = score_forecasts((forecasts, empty) for forecasts, _ in make_windows(10))
    found = assess(record, simulations=20)
    parsed = Page(report_html(found, FACTS))
    assert "not tested" in parsed.words
    assert not re.search(r"\bnan\b", parsed.words, re.IGNORECASE)


def test_a_rate_of_zero_at_an_event_is_said():
    def with_zero():
        for forecasts, seen in make_windows(30):
            forecasts["model"].rates.data[:, 2:4] = 0.0
            yield forecasts, seen

    found = assess(score_forecasts(with_zero()), simulations=20)
    assert found.gains[0].per_event == -math.inf
    parsed = Page(report_html(found, FACTS))
    assert "−∞" in parsed.words
    assert "events at rate 0" in parsed.words


def test_the_rows_hold_every_figure_with_its_interval(assessment):
    rows = list(assessment.rows())
    gains = {
        (row["forecast"], row["baseline"]): row
        for row in rows
        if row["figure"] == "gain, nats per event"
    }
    assert set(gains) == {("model", "smoothed"), ("model", "uniform"), ("uniform", "smoothed")}
    row = gains["model", "uniform"]
    assert row["low_95"] < row["value"] < row["high_95"]
    quantiles = [row for row in rows if row["figure"] == "S: quantile"]
    assert [row["forecast"] for row in quantiles] == ["model", "smoothed", "uniform"]
