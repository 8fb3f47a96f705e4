"""Logarithmic ramps: stops at powers of ten, and the styles that QGIS reads."""

import xml.etree.ElementTree as ET

import pytest

from geotools.io.ramps import graduated_qml, log_stops, pseudocolor_qml


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (2e-4, 0.3, [1e-4, 1e-3, 1e-2, 1e-1, 1.0]),
        (1e-12, 0.05, [10.0**decade for decade in range(-8, 0)]),  # at most seven decades
        (0.5, 0.5, [0.1, 1.0]),
        (0.0, 0.0, None),  # nothing to tell apart is no error
    ],
)
def test_stops_are_powers_of_ten_that_enclose_the_values(low, high, expected):
    stops = log_stops(low, high)
    values = [stop.value for stop in stops]
    assert values == sorted(values)
    assert len(values) >= 2
    if expected:
        assert values == pytest.approx(expected)


def test_each_stop_is_darker_than_the_one_before():
    """Read in greys, the order stays."""
    colors = [stop.color for stop in log_stops(1e-7, 1)]
    luma = [
        0.299 * int(c[1:3], 16) + 0.587 * int(c[3:5], 16) + 0.114 * int(c[5:7], 16) for c in colors
    ]
    assert luma == sorted(luma, reverse=True)


def test_the_raster_style_names_every_stop():
    """In the colour ramp, and where they are far from even in the legend too."""
    stops = log_stops(1e-3, 1)
    root = ET.fromstring(pseudocolor_qml(stops, by_stops=True).split("\n", 1)[1])
    assert root.find(".//rampLegendSettings").get("useContinuousLegend") == "0"
    items = root.findall(".//colorrampshader/item")
    assert [float(item.get("value")) for item in items] == [stop.value for stop in stops]
    assert [item.get("color") for item in items] == [stop.color for stop in stops]


def test_the_polygon_style_covers_every_value_once():
    """Ranges follow one another without a gap, from nothing to anything."""
    root = ET.fromstring(graduated_qml("expected_m4", log_stops(1e-3, 1)).split("\n", 1)[1])
    ranges = root.findall(".//range")
    lower = [float(item.get("lower")) for item in ranges]
    upper = [float(item.get("upper")) for item in ranges]
    assert lower[0] == 0
    assert lower[1:] == upper[:-1]
    assert upper[-1] > 1e20
    assert len(root.findall(".//symbol")) == len(ranges)
