"""How a polygon layer says what its classes look like: QGIS's QML and OGC's SLD, as text.

Both draw one filled entry per class, named and coloured, by the field `class`; where the text is
kept is the business of `geopackage`.
"""

from __future__ import annotations

from collections.abc import Sequence

from geotools.io.xmltext import escape, quoteattr
from geotools.spec import ClassInfo

__all__ = ["polygon_qml", "polygon_sld"]

_FIELD = "class"
_OUTLINE = (35, 35, 35, 90)
"""QGIS's own dark grey, mostly transparent: outlines are there and do not hide small polygons."""
_OUTLINE_MM = 0.1
_SLD_PIXEL_MM = 0.28
"""Size of a pixel in SLD (OGC 02-070, section 12.2)."""


def polygon_qml(classes: Sequence[ClassInfo]) -> str:
    """A QGIS style with one named and coloured category per class."""
    categories = "\n".join(
        f'      <category value="{info.code}" symbol="{index}" render="true" '
        f"label={quoteattr(info.name)}/>"
        for index, info in enumerate(classes)
    )
    symbols = "\n".join(
        f'      <symbol name="{index}" type="fill" alpha="1" clip_to_extent="1" force_rhr="0">\n'
        '        <layer class="SimpleFill" enabled="1" locked="0" pass="0">\n'
        '          <Option type="Map">\n'
        f"{_options(info)}\n"
        "          </Option>\n"
        "        </layer>\n"
        "      </symbol>"
        for index, info in enumerate(classes)
    )
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.22" styleCategories="Symbology">\n'
        f'  <renderer-v2 type="categorizedSymbol" attr="{_FIELD}" forceraster="0" '
        'symbollevels="0" enableorderby="0">\n'
        f"    <categories>\n{categories}\n    </categories>\n"
        f"    <symbols>\n{symbols}\n    </symbols>\n"
        "  </renderer-v2>\n"
        "  <blendMode>0</blendMode>\n"
        "  <layerGeometryType>2</layerGeometryType>\n"
        "</qgis>\n"
    )


def _options(info: ClassInfo) -> str:
    values = {
        "color": ",".join(str(part) for part in (*info.rgb, 255)),
        "style": "solid",
        "outline_color": ",".join(str(part) for part in _OUTLINE),
        "outline_style": "solid",
        "outline_width": str(_OUTLINE_MM),
        "outline_width_unit": "MM",
        "joinstyle": "bevel",
    }
    return "\n".join(
        f'            <Option name="{name}" type="QString" value="{value}"/>'
        for name, value in values.items()
    )


def polygon_sld(classes: Sequence[ClassInfo], layer: str) -> str:
    """The same as a Styled Layer Descriptor 1.0 (OGC 02-070), for other programs."""
    red, green, blue, alpha = _OUTLINE
    stroke = (
        "            <Stroke>\n"
        f'              <CssParameter name="stroke">#{red:02x}{green:02x}{blue:02x}'
        "</CssParameter>\n"
        f'              <CssParameter name="stroke-opacity">{alpha / 255:.2f}</CssParameter>\n'
        f'              <CssParameter name="stroke-width">{_OUTLINE_MM / _SLD_PIXEL_MM:.2f}'
        "</CssParameter>\n"
        "            </Stroke>\n"
    )
    rules = "".join(
        "        <Rule>\n"
        f"          <Name>{escape(info.name)}</Name>\n"
        "          <ogc:Filter>\n"
        "            <ogc:PropertyIsEqualTo>\n"
        f"              <ogc:PropertyName>{_FIELD}</ogc:PropertyName>\n"
        f"              <ogc:Literal>{info.code}</ogc:Literal>\n"
        "            </ogc:PropertyIsEqualTo>\n"
        "          </ogc:Filter>\n"
        "          <PolygonSymbolizer>\n"
        "            <Fill>\n"
        f'              <CssParameter name="fill">{info.color}</CssParameter>\n'
        "            </Fill>\n"
        f"{stroke}"
        "          </PolygonSymbolizer>\n"
        "        </Rule>\n"
        for info in classes
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<StyledLayerDescriptor version="1.0.0" xmlns="http://www.opengis.net/sld" '
        'xmlns:ogc="http://www.opengis.net/ogc">\n'
        "  <NamedLayer>\n"
        f"    <Name>{escape(layer)}</Name>\n"
        "    <UserStyle>\n"
        "      <FeatureTypeStyle>\n"
        f"{rules}"
        "      </FeatureTypeStyle>\n"
        "    </UserStyle>\n"
        "  </NamedLayer>\n"
        "</StyledLayerDescriptor>\n"
    )
