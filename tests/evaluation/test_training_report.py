"""The report of a training: one file that is complete, safe and says what was found."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from training_records import make_class_record, make_value_record, renamed

from geotools.errors import FileError
from geotools.evaluation.interval_plot import PlotRow, interval_plot
from geotools.evaluation.metrics import Scored
from geotools.evaluation.palette_png import palette_png
from geotools.evaluation.training_record import MapPicture, PartRow
from geotools.evaluation.training_report import training_report, write_report
from geotools.evaluation.training_words import AREA_CAVEAT, comparison, result

HOSTILE = '<script>alert("1")</script> $\\frac & \u202e x'
VOID = ("meta", "img", "line", "rect", "circle")


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
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.words += data


def pictures(page: Page) -> list[np.ndarray]:
    """(rows, cols, 4) pixels of every PNG of a page."""
    image = pytest.importorskip("PIL.Image")
    addresses = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    data = [base64.b64decode(one.split(",")[1]) for one in addresses if "image/png" in one]
    return [np.array(image.open(io.BytesIO(one)).convert("RGBA")) for one in data]


@pytest.fixture(scope="module")
def record():
    return make_class_record(shape=(60, 80))


@pytest.fixture(scope="module")
def page(record):
    text = training_report(record)
    return text, Page(text)


@pytest.fixture(scope="module")
def value_page():
    text = training_report(make_value_record())
    return text, Page(text)


@pytest.mark.parametrize("which", ["page", "value_page"])
def test_the_page_is_well_formed_and_needs_nothing_else(which, request):
    """Every tag is closed, no script, and every address is inside the file."""
    text, parsed = request.getfixturevalue(which)
    assert parsed.open == []
    assert "script" not in {tag for tag, _ in parsed.tags}
    for _, attributes in parsed.tags:
        for name in ("src", "href", "srcset", "action", "xlink:href"):
            address = attributes.get(name) or "#"
            assert address.startswith(("data:image/", "#"))
        assert not any(name.startswith("on") for name in attributes)
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text
    assert len(text) < 1_500_000
    assert not re.search(r"\bnan\b", parsed.words, re.IGNORECASE)


def test_every_link_leads_to_a_section(page):
    links = {attributes["href"][1:] for tag, attributes in page[1].tags if tag == "a"}
    sections = {attributes["id"] for tag, attributes in page[1].tags if tag == "section"}
    assert links == sections == {
        "maps", "confusion", "classes", "metrics", "curves", "reliability", "importance", "area",
        "learners", "settings", "origin",
    }  # fmt: skip


def test_the_result_comes_first_and_everything_is_there(page, record):
    words = page[1].words
    first = words[: words.index("Maps")]
    assert result(record) in first
    for sentence in comparison(record):
        assert sentence in first
    assert "The band thermal is constant" in first
    assert AREA_CAVEAT in words
    for part in ("random forest", "majority class", "bare rock",
                 "terrain.tpi@300m", "gradient boosting", "6 min 52 s", "round 5", "cross-entropy",
                 "ab" * 32, "parity, largest_difference", "balanced accuracy"):  # fmt: skip
        assert part in words, part


def test_every_picture_says_what_it_shows(page, value_page):
    for _, parsed in (page, value_page):
        pictures = [attributes for tag, attributes in parsed.tags if tag == "img"]
        assert len(pictures) == 6
        assert all(len(attributes["alt"]) > 10 for attributes in pictures)
        drawings = [attributes for tag, attributes in parsed.tags if tag == "svg"]
        assert drawings
        assert all(len(attributes["aria-label"]) > 10 for attributes in drawings)


def test_the_maps_are_the_cells_themselves(page, record):
    """The first picture has one pixel for each cell, in the colours of the classes."""
    pixels = pictures(page[1])[0]
    cells = record.maps[0].predicted
    assert pixels.shape == (*cells.shape, 4)
    expected = np.array([info.rgb for info in record.classes])[np.maximum(cells, 0)]
    np.testing.assert_array_equal(pixels[cells >= 0][:, :3], expected[cells >= 0])
    np.testing.assert_array_equal(pixels[..., 3], np.where(cells >= 0, 255, 0))


def test_text_of_others_is_shown_and_never_obeyed(record):
    """Names of classes, files, features and settings are text, whatever signs they hold."""
    for some in (renamed(record, HOSTILE), renamed(make_value_record(), HOSTILE)):
        text = training_report(some)
        assert "<script" not in text
        assert "\u202e" not in text  # would write our words from right to left
        parsed = Page(text)
        assert "script" not in {tag for tag, _ in parsed.tags}
        assert parsed.words.count('alert("1")') >= 7


def test_the_same_record_gives_the_same_bytes(page, record):
    assert training_report(record) == page[0]


def test_a_record_of_a_score_alone_is_a_report(record):
    bare = replace(
        record, baselines={}, differences={}, confusion=None, per_class=(), other={}, area=None,
        calibration=None, importance=(), learners=(), curves=(), maps=(),
        warnings=(), provenance={}, parity={}, seconds={}, settings={}, units=1,
        score=Scored(float("nan"), (float("nan"), float("nan"))),
    )  # fmt: skip
    parsed = Page(training_report(bare))
    assert parsed.open == []
    assert "no interval" in parsed.words
    assert not re.search(r"\bnan\b", parsed.words, re.IGNORECASE)


def test_many_large_scenes_stay_small(record):
    """Noise does not compress; pictures shrink until the page is light, and some are left out."""
    rng = np.random.default_rng(0)
    cells = rng.integers(0, 6, (500, 600))
    one = MapPicture("noise", cells, (0, 6, 0, 5), fold=cells - 2, truth=cells, tested=cells)
    text = training_report(replace(record, maps=(one,) * 6))
    assert len(text) < 1_500_000
    assert "The first 4 of 6 scenes are shown." in text


def test_labels_at_points_can_be_seen():
    """Ten labelled cells of four million are still there, and larger than they are."""
    base = make_class_record(shape=(60, 80))
    truth = np.full((2000, 2000), -1)
    truth[103::200, 1001] = 3
    fold, tested = np.where(truth >= 0, 1, -2), np.where(truth >= 0, 2, -1)
    scene = np.zeros(truth.shape, int)
    one = MapPicture("points", scene, (0, 1, 0, 1), fold=fold, truth=truth, tested=tested)
    pixels = pictures(Page(training_report(replace(base, maps=(one,)))))
    assert pixels[1].shape[0] <= 800
    wrong, second = (200, 16, 46), (230, 159, 0)
    for picture, colour in zip(pixels[1:], (base.classes[3].rgb, wrong, second), strict=False):
        shown = (picture[..., :3] == colour).all(axis=-1).sum()
        assert shown == 10 * (2 * (picture.shape[0] // 250) + 1) ** 2


@pytest.mark.parametrize("value", [0.0, -3.5e8])
def test_values_that_hardly_differ_are_still_a_report(value):
    """A constant map that is right, one that has a single other value, and thousands of points."""
    base = make_value_record()
    same = np.full((30, 40), value, np.float32)
    other = same.copy()
    other[3, 4] += 64
    points = np.full(4000, value)
    some = replace(
        base,
        maps=tuple(
            MapPicture("a", cells, (0, 1, 0, 1), truth=same, tested=cells)
            for cells in (same, other)
        ),
        scatter=replace(base.scatter, truth=points, predicted=points),
    )
    parsed = Page(training_report(some))
    assert len(pictures(parsed)) == 6


def test_a_palette_picture_reads_back():
    image = pytest.importorskip("PIL.Image")
    index = np.arange(12, dtype=np.uint8).reshape(3, 4) % 5
    colours = [(n, 2 * n, 3 * n, 50 * n) for n in range(5)]
    pixels = np.array(image.open(io.BytesIO(palette_png(index, colours))).convert("RGBA"))
    np.testing.assert_array_equal(pixels, np.array(colours)[index])


@pytest.mark.parametrize(
    "values",
    [(0.5, 0.5), (0.0, 0.0), (-3e-7, 2e-7), (1e5, 3e6), (float("nan"), 0.2), (float("inf"), 1.0)],
)
def test_any_figures_can_be_plotted(values):
    rows = [PlotRow("a", Scored(value, (value, value))) for value in values]
    text = interval_plot(rows, "some figures", origin=0.0)
    numbers = re.findall(r'c?x[12]?="(-?[\d.]+)"', text)
    assert all(0 <= float(number) <= 780 for number in numbers)
    assert not re.search(r"\b(nan|inf)\b", text)
    assert interval_plot([], "nothing at all")


def test_a_report_is_written_whole_and_not_over_another(record, tmp_path, page):
    path = tmp_path / "report.html"
    path.write_text("mine")
    with pytest.raises(FileError, match="exists"):
        write_report(path, record)
    write_report(path, record, overwrite=True)
    assert path.read_text(encoding="utf-8") == page[0]
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_scenes_have_a_section_of_their_own_with_the_worst_first(record):
    """Of errors the largest is the worst; of many the middle is left out."""
    rows = tuple(PartRow(f"scene <{n}>", 10, n / 100) for n in range(60))
    words = Page(training_report(replace(record, parts=rows, part_word="scenes"))).words
    shown = words[words.index("How far the score of one of the scenes") :]
    assert shown.index("scene <0>") < shown.index("scene <1>") < shown.index("20 more")
    assert shown.index("20 more") < shown.index("scene <59>")
    assert "scene <30>" not in shown
    value = replace(make_value_record(), parts=rows, part_word="scenes")
    words = Page(training_report(value)).words
    assert words.index("scene <59>") < words.index("scene <0>")
