"""Styles for quantities that span decades: colours by a logarithmic ramp, as QGIS's QML.

One list of stops draws a raster band and a field of polygons alike, so that both look the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from geotools.io.xmltext import quoteattr

__all__ = ["RAMP", "Stop", "graduated_qml", "log_stops", "outline_qml", "pseudocolor_qml"]

RAMP = ("#fcfdf2", "#fde3a7", "#fdb46c", "#f27d54", "#d2444f", "#9e2062", "#5f1467", "#23104a")
"""Pale to dark, each darker than the one before, so that it reads in greys as well."""

_MAX_DECADES = 7
"""Beyond this many decades below the highest value, everything is drawn as nothing much."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A value of a ramp and its colour."""

    value: float
    """Where the colour is."""
    color: str
    """`#rrggbb`."""
    label: str
    """As the legend shows it."""


def log_stops(low: float, high: float) -> tuple[Stop, ...]:
    """Stops at whole powers of ten that enclose `low` to `high`, at most seven decades.

    Args:
        low: lowest value to tell apart, above 0.
        high: highest value.
    """
    last = math.ceil(math.log10(high)) if high > 0 else 0
    first = math.floor(math.log10(low)) if low > 0 else last - _MAX_DECADES
    first = min(max(first, last - _MAX_DECADES), last - 1)
    decades = range(first, last + 1)
    return tuple(
        Stop(10.0**decade, _color(index / (len(decades) - 1)), f"{10.0**decade:g}")
        for index, decade in enumerate(decades)
    )


def _color(share: float) -> str:
    """The colour at a share of the ramp, 0 to 1, between its neighbours."""
    place = share * (len(RAMP) - 1)
    below = min(int(place), len(RAMP) - 2)
    part = place - below
    pairs = zip(_parts(RAMP[below]), _parts(RAMP[below + 1]), strict=True)
    mixed = [round(a + (b - a) * part) for a, b in pairs]
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _parts(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def pseudocolor_qml(stops: Sequence[Stop], *, by_stops: bool = False) -> str:
    """A QGIS style of band 1: colours between the stops are mixed.

    Args:
        stops: by value.
        by_stops: the legend names the stops; a bar of values would show little of a logarithmic
            ramp.
    """
    low, high = stops[0].value, stops[-1].value
    items = "\n".join(
        f'          <item value="{stop.value:.9g}" color="{stop.color}" alpha="255" '
        f"label={quoteattr(stop.label)}/>"
        for stop in stops
    )
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.22" styleCategories="AllStyleCategories">\n'
        "  <pipe>\n"
        '    <rasterrenderer type="singlebandpseudocolor" band="1" opacity="1" alphaBand="-1" '
        f'classificationMin="{low:.9g}" classificationMax="{high:.9g}" nodataColor="">\n'
        "      <rastershader>\n"
        '        <colorrampshader colorRampType="INTERPOLATED" classificationMode="1" clip="0" '
        f'minimumValue="{low:.9g}" maximumValue="{high:.9g}" labelPrecision="9">\n'
        f"{items}\n"
        f'          <rampLegendSettings useContinuousLegend="{int(not by_stops)}"/>\n'
        "        </colorrampshader>\n"
        "      </rastershader>\n"
        "    </rasterrenderer>\n"
        "    <brightnesscontrast/>\n    <huesaturation/>\n    <rasterresampler/>\n"
        "  </pipe>\n"
        "</qgis>\n"
    )


def graduated_qml(field: str, stops: Sequence[Stop]) -> str:
    """A QGIS style of polygons: one class from each stop to the next, by a field's value."""
    ranges = [
        (lower.value if index else 0.0, upper.value, lower.color, f"{lower.label} – {upper.label}")
        for index, (lower, upper) in enumerate(pairwise(stops))
    ]
    ranges.append((stops[-1].value, 1e30, stops[-1].color, f"> {stops[-1].label}"))
    entries = "\n".join(
        f'      <range lower="{lower:.9g}" upper="{upper:.9g}" symbol="{index}" render="true" '
        f"label={quoteattr(label)}/>"
        for index, (lower, upper, _, label) in enumerate(ranges)
    )
    symbols = "\n".join(_fill(index, color) for index, (_, _, color, _) in enumerate(ranges))
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.22" styleCategories="Symbology">\n'
        f'  <renderer-v2 type="graduatedSymbol" attr={quoteattr(field)} '
        'graduatedMethod="GraduatedColor" forceraster="0" symbollevels="0" enableorderby="0">\n'
        f"    <ranges>\n{entries}\n    </ranges>\n"
        f"    <symbols>\n{symbols}\n    </symbols>\n"
        "  </renderer-v2>\n"
        "  <blendMode>0</blendMode>\n"
        "  <layerGeometryType>2</layerGeometryType>\n"
        "</qgis>\n"
    )


def outline_qml() -> str:
    """A QGIS style of polygons that draws their outline alone, so that what is below stays seen."""
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.22" styleCategories="Symbology">\n'
        '  <renderer-v2 type="singleSymbol" forceraster="0" symbollevels="0" enableorderby="0">\n'
        "    <symbols>\n"
        '      <symbol name="0" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">\n'
        '        <layer class="SimpleFill" enabled="1" locked="0" pass="0">\n'
        '          <Option type="Map">\n'
        '            <Option name="style" type="QString" value="no"/>\n'
        '            <Option name="outline_style" type="QString" value="solid"/>\n'
        '            <Option name="outline_color" type="QString" value="35,35,35,255"/>\n'
        '            <Option name="outline_width" type="QString" value="0.4"/>\n'
        '            <Option name="outline_width_unit" type="QString" value="MM"/>\n'
        "          </Option>\n"
        "        </layer>\n"
        "      </symbol>\n"
        "    </symbols>\n"
        "  </renderer-v2>\n"
        "  <blendMode>0</blendMode>\n"
        "  <layerGeometryType>2</layerGeometryType>\n"
        "</qgis>\n"
    )


def _fill(name: int, color: str) -> str:
    rgb = ",".join(map(str, (*_parts(color), 215)))
    return (
        f'      <symbol name="{name}" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">\n'
        '        <layer class="SimpleFill" enabled="1" locked="0" pass="0">\n'
        '          <Option type="Map">\n'
        f'            <Option name="color" type="QString" value="{rgb}"/>\n'
        '            <Option name="style" type="QString" value="solid"/>\n'
        '            <Option name="outline_style" type="QString" value="no"/>\n'
        "          </Option>\n"
        "        </layer>\n"
        "      </symbol>"
    )
