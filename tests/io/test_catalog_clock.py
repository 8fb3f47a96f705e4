"""Times and fixed columns of many rows: the same as Python's own reading of each."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from geotools.io.catalogs.clock import assembled, parsed
from geotools.io.catalogs.fixed import Sheet


def never(first, second):
    raise AssertionError("no date here ends with the year")


@pytest.mark.parametrize("style", ["{}", "{}Z", "{}+00:00", "{}+09:30", "{}-11:00"])
@pytest.mark.parametrize("between", ["T", " "])
@pytest.mark.parametrize("digits", [0, 1, 3, 6])
def test_times_are_what_python_reads(style, between, digits):
    rng = np.random.default_rng(digits)
    days, micro = rng.integers(1, 3_600_000, 300), rng.integers(0, 86_400_000_000, 300)
    texts = []
    for day, part in zip(days.tolist(), micro.tolist(), strict=True):
        moment = datetime(1, 1, 1) + timedelta(days=day, microseconds=part)
        text = moment.isoformat(between, "microseconds")
        texts.append(style.format(text[:19] if not digits else text[: 20 + digits]))
    times = parsed(np.array(texts, dtype=object), never)
    expected = [datetime.fromisoformat(text) for text in texts]
    expected = [time.replace(tzinfo=None) - (time.utcoffset() or timedelta(0)) for time in expected]
    assert times.dtype == "datetime64[us]"
    assert times.tolist() == expected


def test_numbers_that_name_no_moment_are_no_time():
    day = np.array([29, 29, 0, 32, 31, 1, 1, 1, 1, np.nan])
    month = np.array([2, 2, 1, 1, 4, 13, 1, 1, 1, 1])
    year = np.array([1900, 2000, 2000, 2000, 2000, 2000, 0, 10_000, -1, 2000])
    assert (~np.isnat(assembled(year, month, day))).tolist() == [False, True] + [False] * 8


def test_seconds_and_minutes_of_sixty_carry_over():
    one = np.ones(3)
    times = assembled(
        2000 * one, 12 * one, 31 * one, np.array([23, 23, 24]), np.array([59, 60, 0]),
        np.array([60_500_000, 0, 0]),
    )  # fmt: skip
    assert times[0] == np.datetime64("2001-01-01T00:00:00.5")
    assert set(times[1:].tolist()) == {datetime(2001, 1, 1)}


@pytest.mark.parametrize(
    "style", ["{:8.3f}", "{:8.0f}", "{:+8.1f}", "{:<8.3f}", "{:08.2f}", "{:8.1e}", "{:8.3g}"]
)
def test_fixed_columns_are_what_python_reads(style):
    values = np.random.default_rng(1).normal(0, 100, 500)
    texts = [style.format(value)[:8].rjust(8) if value > -90 else " " * 8 for value in values]
    data = "".join(f"ab{text}c\n" for text in texts).encode()
    numbers, wrong = Sheet(data, 11, 1).numbers(3, 10)
    assert not wrong.any()
    expected = [float(text) if text.strip() else np.nan for text in texts]
    np.testing.assert_array_equal(numbers, expected)


@pytest.mark.parametrize(
    ("field", "value"),
    [("2146", 21.46), (" 344", 3.44), ("21  ", 21.0), (" 3 5", 3.05), ("-123", -1.23),
     ("1.5 ", 1.5), ("    ", np.nan)],
)  # fmt: skip
def test_implied_decimals_are_as_in_fortran(field, value):
    numbers, wrong = Sheet(f"{field}\n".encode(), 4, 1).numbers(1, 4, decimals=2)
    np.testing.assert_equal(numbers[0], value)
    assert not wrong[0]


@pytest.mark.parametrize(
    "field", ["12x4", "1 24", "--12", "1-23", " - 1", "+", "inf", "nan", "1\xe92"]
)
def test_what_is_no_number_in_fixed_columns_is_told(field):
    _, wrong = Sheet(f"{field:4}\n".encode("latin-1"), 4, 1).numbers(1, 4)
    assert wrong[0]
