"""geotools.seismicity.completeness: where a catalog becomes complete."""

import csv
import math

import numpy as np
import pytest

from geotools.errors import EventsError
from geotools.seismicity.bvalue import b_value
from geotools.seismicity.completeness import (
    b_stability,
    incompleteness_after,
    ks_test,
    maximum_curvature,
)

METHODS = [maximum_curvature, ks_test, b_stability]


def catalog(n: int, *, mc: float = 2.5, width: float = 0.12, seed: int = 0) -> np.ndarray:
    """Magnitudes of b = 1, seen with a probability that rises around mc (Ogata & Katsura 1993)."""
    random = np.random.default_rng(seed)
    values = random.exponential(1 / math.log(10), 40 * n) + mc - 1.5
    rise = 0.5 * (1 + np.vectorize(math.erf)((values - (mc - 2 * width)) / width / math.sqrt(2)))
    values = values[random.random(values.size) < rise][:n]
    return np.round(values, 1)


@pytest.mark.parametrize("method", METHODS)
def test_completeness_is_found(method):
    """A catalog that loses events below 2.5 is complete from 2.5, to a bin or two."""
    found = method(catalog(20_000))
    assert found.mc == pytest.approx(2.5, abs=0.21)
    assert found.n == found.b.n
    assert abs(found.b.b - 1.0) < 4 * found.b.error


@pytest.mark.parametrize("method", METHODS)
def test_order_does_not_matter(method):
    """Shuffled magnitudes, and unknown ones among them, change nothing."""
    values = catalog(2000)
    shuffled = np.random.default_rng(1).permutation(np.append(values, np.nan))
    assert repr(method(shuffled)) == repr(method(values))


def test_fullest_bin():
    """Maximum curvature takes the fullest bin, the higher of two, and adds 0.2."""
    values = np.repeat([2.0, 2.1, 2.2, 2.3], [5, 9, 9, 4])
    assert maximum_curvature(values).mc == pytest.approx(2.4)
    assert maximum_curvature(values, correction=0).mc == pytest.approx(2.2)
    assert maximum_curvature(values, correction=0).n == 13


def test_ks_accepts_what_is_exponential():
    """Complete catalogs are accepted at their lowest bin, about nine times in ten at p >= 0.1."""
    random = np.random.default_rng(2)
    accepted = 0
    for seed in range(40):
        values = np.round(random.exponential(1 / math.log(10), 1000) + 2.95, 1)
        accepted += ks_test(values, simulations=200, seed=seed).mc == pytest.approx(3.0)
    assert 29 <= accepted <= 40


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("values", [[], [np.nan]])
def test_no_magnitudes(method, values):
    """Without a magnitude there is nothing to say."""
    with pytest.raises(EventsError, match="No event has a magnitude"):
        method(np.array(values))


@pytest.mark.parametrize("values", [[4.0], [4.0] * 500])
def test_one_magnitude(values):
    """One event or one magnitude: no b; the methods that need one find no completeness."""
    values = np.array(values)
    assert maximum_curvature(values, correction=0).mc == pytest.approx(4.0)
    assert math.isnan(maximum_curvature(values).b.b)
    assert math.isnan(ks_test(values).mc)
    assert math.isnan(b_stability(values).mc)


@pytest.mark.parametrize("delta_m", [0.0, -0.1, 5.0, np.nan])
def test_bins_that_cannot_be(delta_m):
    """Completeness needs bins."""
    with pytest.raises(EventsError, match="Magnitude bins"):
        maximum_curvature(np.array([3.0, 4.0]), delta_m=delta_m)


def test_blind_after_large_events():
    """One day after a magnitude 7 completeness is 2.5, after ten days 1.75, then as before."""
    time = np.array([100.0, 0.0, 1.0, 10.0, -5.0, 1e-9])
    magnitude = np.array([3.0, 7.0, 3.0, 3.0, 3.0, 3.0])
    limits = incompleteness_after(time, magnitude, mc=1.0)
    assert limits.tolist() == pytest.approx([1.0, 1.0, 2.5, 1.75, 1.0, 7.0])


CATALOGS = {
    "california_comcat_m32_1971_2020.csv": "magnitude",
    "global_usgs_m5_2009_2019.csv": "mag",
    "global_usgs_m6_1960_2019.csv": "mag",
    "italy_horus_mw25_1960_2014.csv": "M",
    "italy_ingv_csep_2005_2014.csv": None,
    "japan_jma_m45_1926_2007.csv": "mag",
}


@pytest.mark.parametrize("name", CATALOGS)
def test_real_catalogs(shared, name):
    """Maximum curvature + 0.2 and b agree with what is recorded beside the shared catalogs."""
    folder = shared / "catalogs"
    with (folder / "README.tsv").open(encoding="utf-8") as stream:
        recorded = {row["file"]: row for row in csv.DictReader(stream, delimiter="\t")}[name]
    with (folder / name).open(encoding="utf-8") as stream:
        rows = csv.reader(stream)
        first = next(rows)
        column = 2 if CATALOGS[name] is None else first.index(CATALOGS[name])
        values = np.array([float(row[column]) for row in rows])
    found = maximum_curvature(values)
    assert found.mc == pytest.approx(float(recorded["mc_maxc_plus0p2"]))
    assert b_value(values, mc=found.mc).b == pytest.approx(float(recorded["b_tinti"]), abs=0.006)
