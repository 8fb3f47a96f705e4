"""geotools.maps.shown."""

import numpy as np
import pytest

from geotools.maps.shown import shown_range


def test_nearly_all_lies_between():
    """Two per cent at either end are left out, and what is unknown does not count."""
    sample = np.random.default_rng(0).permutation(np.arange(1001, dtype=np.float32))
    sample[(sample == 500) | (sample == 501)] = np.nan, np.inf
    assert shown_range(sample) == (20, 980)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_few_values_are_drawn_to_their_ends(count):
    assert shown_range(np.arange(count, dtype=np.float32)) == (0, count - 1)


def test_nothing_known_has_no_range():
    assert shown_range(np.full(3, np.nan, np.float32)) is None
