"""Aftershocks after Reasenberg and Jones."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from geotools.errors import EventsError
from geotools.seismicity.reasenberg_jones import CALIFORNIA, REGIMES, ReasenbergJones


def test_the_expected_number_is_the_integral_of_the_rate():
    time = np.linspace(0.5, 30, 200_001)
    rate = 10 ** (-1.67 + 0.91 * (6.5 - 4.0)) * (time + 0.05) ** -1.08
    assert CALIFORNIA.expected(6.5, 4.0, 0.5, 30) == pytest.approx(np.trapezoid(rate, time))


def test_a_decay_exponent_of_one_is_a_logarithm():
    model = dataclasses.replace(CALIFORNIA, p=1.0, a=0.0)
    assert model.expected(5, 5, 0, 10) == pytest.approx(math.log(10.05 / 0.05))
    near = dataclasses.replace(model, p=1 + 1e-9)
    assert near.expected(5, 5, 0, 10) == pytest.approx(model.expected(5, 5, 0, 10), rel=1e-7)


def test_numbers_add_up_over_time_and_grow_tenfold_over_one_by_b():
    whole = CALIFORNIA.expected(7, 3, 0, 100)
    parts = CALIFORNIA.expected(7, 3, 0, 1) + CALIFORNIA.expected(7, 3, 1, 100)
    assert parts == pytest.approx(whole)
    assert CALIFORNIA.expected(7, 3 - 1 / 0.91, 0, 100) == pytest.approx(10 * whole)


def test_a_known_sequence_is_poissonian():
    number = CALIFORNIA.expected(6, 5, 0, 7)
    assert CALIFORNIA.probability(6, 5, 0, 7) == pytest.approx(1 - math.exp(-number))


def test_the_spread_of_a_is_averaged_over():
    model = REGIMES["ANSR-SHALCON"]
    sigma = math.hypot(0.49, 570 / 10**3.5)
    rng = np.random.default_rng(0)
    number = model.expected(7, 6, 0, 30) * 10 ** rng.normal(0, sigma, 200_000)
    drawn = float(np.mean(1 - np.exp(-number)))
    assert model.probability(7, 6, 0, 30) == pytest.approx(drawn, abs=0.002)


def test_many_aftershocks_settle_a_and_none_lower_it():
    prior = REGIMES["SZ-GENERIC"]
    truth = dataclasses.replace(prior, a=-2.0, a_sigma=0.0, a_sigma_small=0.0)
    seen = round(truth.expected(8, 4, 0.1, 10))
    learned = prior.updated(8, seen, 4, 0.1, 10)
    assert learned.a == pytest.approx(-2.0, abs=0.02)
    assert learned.a_sigma < 0.05
    assert prior.updated(8, 0, 6, 0, 3).a < prior.a
    assert CALIFORNIA.updated(8, 5, 6, 0, 3) == CALIFORNIA


@pytest.mark.parametrize(
    "question", [(6, 5, -1, 3), (6, 5, 3, 3), (6, 5, 0, math.inf), (math.nan, 5, 0, 1)]
)
def test_questions_without_an_answer_are_refused(question):
    with pytest.raises(EventsError):
        CALIFORNIA.expected(*question)
    with pytest.raises(EventsError):
        CALIFORNIA.updated(6, -1, 5, 0, 1)
    with pytest.raises(EventsError):
        ReasenbergJones(a=-2, b=0, p=1, c_days=0.1)
