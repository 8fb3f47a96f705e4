"""How a class raster says what its codes mean: GDAL's `.aux.xml` and QGIS's `.qml` beside it.

Both are text made here, from the classes and the area that each covers; the colour table itself
is inside the GeoTIFF.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from geotools.io.xmltext import escape, quoteattr

if TYPE_CHECKING:
    from geotools.spec import ClassInfo

__all__ = ["aux_xml", "class_qml", "ramp_qml"]


def aux_xml(classes: Sequence[ClassInfo], area_m2: Mapping[int, float]) -> str:
    """GDAL's persistent metadata: category names, and an attribute table with area per class.

    Args:
        classes: the classes of the map.
        area_m2: area in square metres by class code.
    """
    by_code = {info.code: info for info in classes}
    names = "\n".join(
        f"      <Category>{escape(by_code[code].name if code in by_code else '')}</Category>"
        for code in range(max(by_code, default=0) + 1)
    )
    fields = "\n".join(
        f'      <FieldDefn index="{index}"><Name>{name}</Name><Type>{kind}</Type>'
        f"<Usage>{usage}</Usage></FieldDefn>"
        for index, (name, kind, usage) in enumerate(_FIELDS)
    )
    rows = "\n".join(
        f'      <Row index="{index}">{_row(info, area_m2.get(info.code, 0.0))}</Row>'
        for index, info in enumerate(classes)
    )
    return (
        "<PAMDataset>\n"
        '  <PAMRasterBand band="1">\n'
        f"    <CategoryNames>\n{names}\n    </CategoryNames>\n"
        f'    <GDALRasterAttributeTable tableType="thematic">\n{fields}\n{rows}\n'
        "    </GDALRasterAttributeTable>\n"
        "  </PAMRasterBand>\n"
        "</PAMDataset>\n"
    )


_FIELDS = (
    # name, type (0 integer, 1 real, 2 text), usage: GDAL's GDALRATFieldType and GDALRATFieldUsage
    ("Value", 0, 5),
    ("Name", 2, 2),
    ("Red", 0, 6),
    ("Green", 0, 7),
    ("Blue", 0, 8),
    ("Area_m2", 1, 0),
)


def _row(info: ClassInfo, area_m2: float) -> str:
    values = (info.code, escape(info.name), *info.rgb, f"{area_m2:.2f}")
    return "".join(f"<F>{value}</F>" for value in values)


def class_qml(classes: Sequence[ClassInfo]) -> str:
    """A QGIS style with one named and coloured entry per class."""
    entries = "\n".join(
        f'        <paletteEntry value="{info.code}" color="{info.color}" alpha="255" '
        f"label={quoteattr(info.name)}/>"
        for info in classes
    )
    return _qml(
        '    <rasterrenderer type="paletted" band="1" opacity="1" alphaBand="-1" '
        'nodataColor="">\n'
        f"      <colorPalette>\n{entries}\n      </colorPalette>\n"
        "    </rasterrenderer>\n"
    )


def ramp_qml(low: float, high: float) -> str:
    """A QGIS style that draws band 1 in greys from `low` (black) to `high` (white)."""
    return _qml(
        '    <rasterrenderer type="singlebandgray" grayBand="1" gradient="BlackToWhite" '
        'opacity="1" alphaBand="-1" nodataColor="">\n'
        f"      <contrastEnhancement><minValue>{low:.9g}</minValue><maxValue>{high:.9g}</maxValue>"
        "<algorithm>StretchToMinimumMaximum</algorithm></contrastEnhancement>\n"
        "    </rasterrenderer>\n"
    )


def _qml(renderer: str) -> str:
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.22" styleCategories="AllStyleCategories">\n'
        f"  <pipe>\n{renderer}"
        "    <brightnesscontrast/>\n    <huesaturation/>\n    <rasterresampler/>\n"
        "  </pipe>\n"
        "</qgis>\n"
    )
