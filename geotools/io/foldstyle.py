"""How the parts of a split look in QGIS: one colour for each, areas half transparent."""

from __future__ import annotations

from collections.abc import Sequence

from geotools.io.xmltext import quoteattr

__all__ = ["category_qml"]

_OPACITY = 150
"""Of 255: what is below stays seen."""


def category_qml(field: str, colors: Sequence[tuple[str, str]], *, points: bool = False) -> str:
    """A QGIS style with one coloured entry for each text in a field.

    Args:
        field: name of the field.
        colors: text and colour (`#rrggbb`), in the order of the legend.
        points: the layer holds points, not polygons.
    """
    categories = "\n".join(
        f'      <category value={quoteattr(text)} symbol="{index}" render="true" type="string" '
        f"label={quoteattr(text)}/>"
        for index, (text, _) in enumerate(colors)
    )
    draw = _marker if points else _fill
    symbols = "\n".join(draw(index, color) for index, (_, color) in enumerate(colors))
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.22" styleCategories="Symbology">\n'
        f'  <renderer-v2 type="categorizedSymbol" attr={quoteattr(field)} forceraster="0" '
        'symbollevels="0" enableorderby="0">\n'
        f"    <categories>\n{categories}\n    </categories>\n"
        f"    <symbols>\n{symbols}\n    </symbols>\n"
        "  </renderer-v2>\n"
        "  <blendMode>0</blendMode>\n"
        f"  <layerGeometryType>{0 if points else 2}</layerGeometryType>\n"
        "</qgis>\n"
    )


def _fill(name: int, color: str) -> str:
    return _symbol(
        name, "fill", "SimpleFill",
        {
            "color": f"{_rgb(color)},{_OPACITY}", "style": "solid", "outline_color": "35,35,35,200",
            "outline_style": "solid", "outline_width": "0.2", "outline_width_unit": "MM",
        },
    )  # fmt: skip


def _marker(name: int, color: str) -> str:
    return _symbol(
        name, "marker", "SimpleMarker",
        {
            "name": "circle", "color": f"{_rgb(color)},255", "outline_style": "no",
            "size": "1.4", "size_unit": "MM",
        },
    )  # fmt: skip


def _symbol(name: int, kind: str, layer: str, values: dict[str, str]) -> str:
    options = "\n".join(
        f'            <Option name="{key}" type="QString" value="{value}"/>'
        for key, value in values.items()
    )
    return (
        f'      <symbol name="{name}" type="{kind}" alpha="1" clip_to_extent="1" force_rhr="0">\n'
        f'        <layer class="{layer}" enabled="1" locked="0" pass="0">\n'
        f'          <Option type="Map">\n{options}\n          </Option>\n'
        "        </layer>\n"
        "      </symbol>"
    )


def _rgb(color: str) -> str:
    return ",".join(str(int(color[start : start + 2], 16)) for start in (1, 3, 5))
