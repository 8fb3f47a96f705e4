"""How earthquakes look as points: colour by depth, size by magnitude, as QGIS's QML.

Nothing is hidden: an event without depth is grey, one without magnitude as small as the smallest.
"""

from __future__ import annotations

from itertools import pairwise

from geotools.io.xmltext import quoteattr

__all__ = ["DEPTHS_KM", "events_qml"]

DEPTHS_KM = (-10.0, 10.0, 35.0, 70.0, 150.0, 300.0, 800.0)
"""Edges of the depth classes; 70 and 300 km divide shallow, intermediate and deep (Gutenberg and
Richter 1954), 35 km is about the thickness of continental crust."""

_COLORS = ("#d7301f", "#fc8d59", "#fed976", "#7fbc6b", "#3288bd", "#5e4fa2")
"""Warm near the surface, cold in the depth: ColorBrewer's Spectral, a little darker."""
_UNKNOWN_COLOR = "#9a9a9a"
_UNKNOWN = -99.0
"""Stands for no depth in the expression; no depth of the table is below -9 km."""

_SIZE = 'coalesce(max(0.8, 0.4 * 1.5 ^ "magnitude"), 0.8)'
"""Diameter in mm: 0.9 at M 2, 3 at M 5, 10 at M 8."""

_OUTLINE = "35,35,35,160"


def events_qml() -> str:
    """A QGIS style for a layer of the event table, ready for the temporal controller.

    Large events are drawn first, so that they do not hide their aftershocks. Events appear at
    their time and stay.
    """
    classes = [
        (low, high, color, _label(low, high))
        for (low, high), color in zip(pairwise(DEPTHS_KM), _COLORS, strict=True)
    ]
    classes.append((_UNKNOWN, _UNKNOWN, _UNKNOWN_COLOR, "depth unknown"))
    ranges = "\n".join(
        f'      <range lower="{low:.6f}" upper="{high:.6f}" symbol="{index}" '
        f'label={quoteattr(label)} render="true"/>'
        for index, (low, high, _, label) in enumerate(classes)
    )
    symbols = "\n".join(_symbol(index, color) for index, (_, _, color, _) in enumerate(classes))
    attribute = quoteattr(f'coalesce("depth_km", {_UNKNOWN:g})')
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.22" styleCategories="Symbology|Temporal">\n'
        '  <temporal enabled="1" mode="1" startField="time" endField="" startExpression="" '
        'endExpression="" durationField="" durationUnit="min" fixedDuration="0" accumulate="1" '
        'limitMode="0">\n'
        "    <fixedRange>\n      <start></start>\n      <end></end>\n    </fixedRange>\n"
        "  </temporal>\n"
        f'  <renderer-v2 type="graduatedSymbol" attr={attribute} graduatedMethod="GraduatedColor" '
        'forceraster="0" symbollevels="0" enableorderby="1">\n'
        f"    <ranges>\n{ranges}\n    </ranges>\n"
        f"    <symbols>\n{symbols}\n    </symbols>\n"
        "    <orderby>\n"
        '      <orderByClause asc="0" nullsFirst="0">"magnitude"</orderByClause>\n'
        "    </orderby>\n"
        "  </renderer-v2>\n"
        "  <blendMode>0</blendMode>\n"
        "  <layerGeometryType>0</layerGeometryType>\n"
        "</qgis>\n"
    )


def _label(low: float, high: float) -> str:
    if low == DEPTHS_KM[0]:
        return f"less than {high:g} km"
    return f"{low:g} km and more" if high == DEPTHS_KM[-1] else f"{low:g} to {high:g} km"


def _symbol(index: int, color: str) -> str:
    rgb = ",".join(str(int(color[start : start + 2], 16)) for start in (1, 3, 5))
    values = {
        "name": "circle",
        "color": f"{rgb},200",
        "outline_color": _OUTLINE,
        "outline_style": "solid",
        "outline_width": "0.1",
        "outline_width_unit": "MM",
        "size": "2",
        "size_unit": "MM",
        "scale_method": "diameter",
    }
    options = "\n".join(
        f'            <Option name="{name}" type="QString" value="{value}"/>'
        for name, value in values.items()
    )
    return (
        f'      <symbol name="{index}" type="marker" alpha="1" clip_to_extent="1" force_rhr="0">\n'
        '        <layer class="SimpleMarker" enabled="1" locked="0" pass="0">\n'
        f'          <Option type="Map">\n{options}\n          </Option>\n'
        "          <data_defined_properties>\n"
        '            <Option type="Map">\n'
        '              <Option name="name" type="QString" value=""/>\n'
        '              <Option name="properties" type="Map">\n'
        '                <Option name="size" type="Map">\n'
        '                  <Option name="active" type="bool" value="true"/>\n'
        f'                  <Option name="expression" type="QString" value={quoteattr(_SIZE)}/>\n'
        '                  <Option name="type" type="int" value="3"/>\n'
        "                </Option>\n"
        "              </Option>\n"
        '              <Option name="type" type="QString" value="collection"/>\n'
        "            </Option>\n"
        "          </data_defined_properties>\n"
        "        </layer>\n"
        "      </symbol>"
    )
