"""The interval of a number of events."""

import pytest
from scipy import stats

from geotools.inference.issued import count_interval


@pytest.mark.parametrize("expected", [0.0, 1e-6, 0.02, 0.7, 3.0, 42.5, 900.0])
def test_poisson_quantiles_are_those_of_scipy(expected):
    law = stats.poisson(expected)
    low, high = (0, 0) if expected == 0 else law.ppf([0.025, 0.975])
    assert count_interval(expected) == (low, high)


@pytest.mark.parametrize("expected", [0.02, 3.0, 42.5, 900.0])
@pytest.mark.parametrize("dispersion", [0.01, 0.5, 3.0])
def test_negative_binomial_quantiles_are_those_of_scipy(expected, dispersion):
    size = 1 / dispersion
    law = stats.nbinom(size, size / (size + expected))
    assert count_interval(expected, dispersion) == tuple(law.ppf([0.025, 0.975]))


def test_huge_numbers_take_no_memory():
    low, high = count_interval(1e12, 0.1)
    law = stats.nbinom(10, 10 / (10 + 1e7))
    assert (low / 1e12, high / 1e12) == pytest.approx(law.ppf([0.025, 0.975]) / 1e7, rel=1e-5)
    low, high = count_interval(1e12)
    assert high - low == pytest.approx(2 * 1.96e6, rel=1e-6)
