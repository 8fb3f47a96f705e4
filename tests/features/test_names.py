"""geotools.features.names: what a feature's name stands for."""

import pytest

from geotools.errors import ConfigError
from geotools.features.names import (
    expand_features,
    find_band,
    parse_feature,
    shown_bands,
    steps_of,
)
from geotools.spec import SourceInfo

DEM = SourceInfo("dem", ("elevation",), (2,), 3, role="elevation")
L5 = SourceInfo("l5", ("red", "nir", "7"), (3, 4, 7), 8, dates=("1986-02-06", "2001-01-31"))
S2 = SourceInfo("s2", ("green", "swir1"), (3, 11), 13)
CODES = SourceInfo("soil", ("code",), (1,), 1, kind="classes")
ALL = (DEM, L5, S2, CODES)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["dem"], ["dem"]),
        (["dem.elevation", "dem.2", "dem"], ["dem"]),
        (["s2"], ["s2.green", "s2.swir1"]),
        (["s2.11", "s2.green"], ["s2.swir1", "s2.green"]),
        (["l5.7@2001"], ["l5.7@2001-01-31"]),
        (["l5.red@1986-02-06"], ["l5.red@1986-02-06"]),
        (["l5.red"], ["l5.red@1986-02-06", "l5.red@2001-01-31"]),
        (["imagery.ndvi"], ["imagery.ndvi@1986-02-06", "imagery.ndvi@2001-01-31"]),
        (["imagery.ndvi@2001"], ["imagery.ndvi@2001-01-31"]),
        (["imagery.mndwi"], ["imagery.mndwi"]),
        (
            ["terrain.slope", "terrain.dev@5", "terrain.dev@300m", "terrain.tpi@1.5km"],
            ["terrain.slope", "terrain.dev@5", "terrain.dev@300m", "terrain.tpi@1500m"],
        ),
        (
            ["l5.red", "dem", "imagery.ndvi"],
            [
                "l5.red@1986-02-06", "imagery.ndvi@1986-02-06",
                "l5.red@2001-01-31", "imagery.ndvi@2001-01-31", "dem",
            ],
        ),
    ],
)  # fmt: skip
def test_names_are_written_out(names, expected):
    """In full, one by one, once each; undated names of dated sources date by date."""
    found = expand_features(names, ALL)
    assert found == tuple(expected)
    assert expand_features(found, ALL) == found
    assert all(str(parse_feature(name)) == name for name in found)


def test_all_bands_of_all_sources_without_names():
    """What is learned from when nothing is said."""
    assert expand_features(None, (DEM, S2)) == ("dem", "s2.green", "s2.swir1")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("s3.red", "of no input: the inputs are dem, l5, s2, soil"),
        ("s2.red", "no band of s2: .* green, swir1"),
        ("s2.3x", "no band of s2"),
        ("terrain.slop", "no known attribute: did you mean 'slope'"),
        ("terrain", "no known attribute"),
        ("dme", "did you mean 'dem'"),
        ("imagery.nvdi", "no known index: did you mean 'ndwi'"),
        ("imagery.evi", "for blue no band is called so"),
        ("terrain.slope@5", "from a cell's neighbours alone"),
        ("terrain.dev@0", "a whole number from 1 to 500"),
        ("terrain.dev@2.5", "a whole number"),
        ("terrain.dev@501", "a whole number"),
        ("terrain.dev@5cells", "has the radius '5cells'"),
        ("terrain.dev@-5", "has the radius"),
        ("terrain.dev@" + "9" * 400, "has the radius"),
        ("terrain.dev@" + "9" * 400 + "m", "has the radius"),
        ("terrain.dev@nan", "has the radius"),
        ("s2.\u00b2", "no band of s2"),
        ("s2." + "1" * 5000, "no band of s2"),
        ("s2.green@2001", "has a date, and s2 has none"),
        ("l5.red@1999", "no date of l5: its dates are 1986-02-06, 2001-01-31"),
        ("l5.red@", "names no feature"),
        (".red", "names no feature"),
        ("", "names no feature"),
        ("s2.", "names no feature"),
    ],
)
def test_what_there_is_not_is_said_with_what_there_is(name, words):
    """One sentence with the name, and the known ones."""
    with pytest.raises(ConfigError, match=words):
        expand_features([name], ALL)


def test_one_elevation_model_is_needed():
    """None, two, or one with several bands: refused."""
    with pytest.raises(ConfigError, match="none of s2 is one"):
        expand_features(["terrain.slope"], (S2,))
    other = SourceInfo("dsm", ("1",), (1,), 1, role="elevation")
    with pytest.raises(ConfigError, match="dem and dsm are both one"):
        expand_features(["terrain.slope"], (DEM, other))
    wide = SourceInfo("dem", ("a", "b"), (1, 2), 2, role="elevation")
    with pytest.raises(ConfigError, match="has 2 bands"):
        expand_features(["terrain.slope"], (wide,))


def test_an_index_may_take_bands_of_several_files():
    """One file per band is usual; two sources that both have all are not."""
    red, nir = (SourceInfo(name, ("1",), (1,), 1) for name in ("red", "NIR"))
    assert expand_features(["imagery.ndvi"], (red, nir)) == ("imagery.ndvi",)
    second = SourceInfo("l8", ("red", "nir"), (4, 5), 7)
    assert expand_features(["imagery.ndvi"], (red, nir, second)) == ("imagery.ndvi",)
    third = SourceInfo("l9", ("red", "nir"), (4, 5), 7)
    with pytest.raises(ConfigError, match="could be taken from l8 and l9"):
        expand_features(["imagery.ndvi"], (second, third))
    codes = SourceInfo("map", ("red", "nir"), (1, 2), 2, kind="classes")
    with pytest.raises(ConfigError, match="no band is called so"):
        expand_features(["imagery.ndvi"], (codes,))


def test_a_stack_of_dates_is_known_as_one():
    """The same features at each date, whatever stands between; without that there is none."""
    whole = expand_features(["l5", "imagery.ndvi"], ALL)
    count = len(whole) // 2
    assert steps_of(whole) == (tuple(range(count)), tuple(range(count, 2 * count)))
    beside = steps_of(("dem", *whole[:count], "terrain.slope", *whole[count:]))
    assert beside[0] == (*range(1, count + 1), 0, count + 1)
    assert beside[1] == (*range(count + 2, 2 * count + 2), 0, count + 1)
    assert steps_of((*whole[count:], *whole[:count]))[0] == tuple(range(count, 2 * count))
    assert steps_of(whole[:-1]) == ()
    assert steps_of((*whole[1:], whole[0])) == ()
    assert steps_of(("dem",)) == ()


def test_bands_are_found_by_name_or_number():
    """The number is that of the file."""
    assert find_band("l5.nir@2001-01-31", ALL) == (1, 1)
    assert find_band("l5.3@2001-01-31", ALL) == (1, 0)
    assert find_band("soil", ALL) == (3, 0)


def test_a_number_is_near_no_other_and_rows_of_numbers_are_listed_short():
    info = SourceInfo("x", tuple(map(str, range(1, 41))), tuple(range(1, 41)), 40)
    with pytest.raises(ConfigError) as caught:
        expand_features(["x.41"], [info])
    assert str(caught.value) == "The feature x.41 is no band of x: its bands are 1 to 40."
    assert shown_bands(("3", "4", "6")) == "3, 4, 6"
    assert shown_bands(("red", "nir")) == "red, nir"
    assert shown_bands([f"b{n}" for n in range(25)]).endswith("b18, b19 and 5 more")


def test_a_band_is_meant_in_whatever_letters_it_is_described():
    """As long as only one can be meant; the exact name goes first."""
    s2 = SourceInfo("s2", ("b04", "b8a", "NIR", "nir"), (1, 2, 3, 4), 4)
    assert expand_features(["s2.B04", "s2.B8A", "s2.NIR", "s2.nir"], (s2,)) == (
        "s2.b04", "s2.b8a", "s2.NIR", "s2.nir",
    )  # fmt: skip
    with pytest.raises(ConfigError, match=r"s2\.Nir is no band"):
        expand_features(["s2.Nir"], (s2,))
