"""mosaic_vrt: GDAL's XML that shows rasters of one cell grid as one, without copying a cell.

Paths in it are relative to it, so that a folder can be moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from geotools.grid import Grid, Window
from geotools.spec import ClassInfo

__all__ = ["mosaic_vrt"]

_TYPES = {
    "uint8": "Byte", "int8": "Int8", "uint16": "UInt16", "int16": "Int16", "uint32": "UInt32",
    "int32": "Int32", "float32": "Float32", "float64": "Float64",
}  # fmt: skip
"""GDAL's names of numpy's types."""


def mosaic_vrt(
    pieces: Sequence[tuple[str, Window]],
    grid: Grid,
    *,
    bands: Sequence[str],
    units: Sequence[str],
    dtype: str,
    nodata: float | None,
    classes: Sequence[ClassInfo] = (),
) -> str:
    """The text of a VRT.

    Args:
        pieces: file name and where its cells are on the grid; where they overlap, the first shows.
        grid: of the whole.
        bands, units, dtype, nodata: of every piece.
        classes: of band 1.
    """
    transform = ", ".join(f"{value!r}" for value in grid.transform.to_gdal())
    parts = []
    for number, (name, unit) in enumerate(zip(bands, units, strict=True), 1):
        parts.append(f'  <VRTRasterBand dataType="{_TYPES[dtype]}" band="{number}">\n')
        parts.append(f"    <Description>{escape(name)}</Description>\n")
        if nodata is not None:
            parts.append(f"    <NoDataValue>{nodata:.17g}</NoDataValue>\n")
        if unit:
            parts.append(f"    <UnitType>{escape(unit)}</UnitType>\n")
        if classes and number == 1:
            parts.append(_legend(classes))
        # GDAL draws them in order, so that the last shows.
        parts += [_source(file, window, number, nodata) for file, window in reversed(pieces)]
        parts.append("  </VRTRasterBand>\n")
    return (
        f'<VRTDataset rasterXSize="{grid.width}" rasterYSize="{grid.height}">\n'
        f"  <SRS>{escape(grid.crs.to_wkt())}</SRS>\n"
        f"  <GeoTransform>{transform}</GeoTransform>\n{''.join(parts)}</VRTDataset>\n"
    )


def _source(file: str, window: Window, band: int, nodata: float | None) -> str:
    size = f'xSize="{window.width}" ySize="{window.height}"'
    # A source with NODATA leaves what is below it where it holds none itself.
    missing = "" if nodata is None else f"      <NODATA>{nodata:.17g}</NODATA>\n"
    return (
        "    <ComplexSource>\n"
        f'      <SourceFilename relativeToVRT="1">{escape(file)}</SourceFilename>\n'
        f"      <SourceBand>{band}</SourceBand>\n"
        f'      <SrcRect xOff="0" yOff="0" {size}/>\n'
        f'      <DstRect xOff="{window.col_off}" yOff="{window.row_off}" {size}/>\n'
        f"{missing}    </ComplexSource>\n"
    )


def _legend(classes: Sequence[ClassInfo]) -> str:
    """Colours and names of the codes 0, 1, 2, …"""
    by_code = {info.code: info for info in classes}
    codes = range(max(by_code) + 1)
    colours, names = [], []
    for code in codes:
        red, green, blue = by_code[code].rgb if code in by_code else (0, 0, 0)
        alpha = 255 if code in by_code else 0
        colours.append(f'      <Entry c1="{red}" c2="{green}" c3="{blue}" c4="{alpha}"/>\n')
        name = by_code[code].name if code in by_code else ""
        names.append(f"      <Category>{escape(name)}</Category>\n")
    return (
        "    <ColorInterp>Palette</ColorInterp>\n"
        f"    <ColorTable>\n{''.join(colours)}    </ColorTable>\n"
        f"    <CategoryNames>\n{''.join(names)}    </CategoryNames>\n"
    )
