"""read_categories: what a class raster's own file and its `.aux.xml` call its codes.

The `.aux.xml` is read here as untrusted text: no document type, no entities, nothing fetched.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geotools.errors import FileError
from geotools.io.gate import GDAL_ERRORS, local_raster, open_dataset

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = ["read_categories"]

_MAX_BYTES = 16 * 2**20
_MAX_CODES = 65_536

_NO_TABLE: tuple[type[BaseException], ...] = (*GDAL_ERRORS, IndexError)

_VALUE, _NAME, _MIN = "5", "2", "3"
_COLORS = ("6", "7", "8")
"""Usages of columns of an attribute table (GDAL's GDALRATFieldUsage): value or lowest value, name,
red, green, blue."""


def read_categories(
    path: str | os.PathLike[str], band: int = 1
) -> tuple[dict[int, str], dict[int, str]]:
    """Names and colours (`#rrggbb`) by code; both are empty where the file says nothing.

    Args:
        path: the raster.
        band: band number from 1.

    Raises:
        FileError: the raster cannot be opened, or its `.aux.xml` cannot be trusted.
    """
    name = os.fspath(path)
    names: dict[int, str] = {}
    colors: dict[int, str] = {}
    with open_dataset(name, *local_raster(name)) as dataset:
        try:
            table = dataset.colormap(band)
        except _NO_TABLE:
            table = {}
        for code, parts in table.items():
            if any(parts[:3]):  # unused entries are black
                colors[int(code)] = "#" + "".join(f"{part:02x}" for part in parts[:3])
    beside = Path(f"{name}.aux.xml")
    if beside.is_file():
        element = _band(beside, band)
        if element is not None:
            names.update(_listed(element))
            _attributes(element, names, colors)
    return names, colors


def _band(file: Path, band: int) -> _Element | None:
    """The element of one band."""
    from lxml import etree

    text = file.read_bytes()[: _MAX_BYTES + 1]
    if len(text) > _MAX_BYTES or re.search(rb"<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise FileError(
            f"{file} is larger than 16 MB or declares entities, which is not read: take it away."
        )
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False
    )
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError as error:
        raise FileError(f"{file} is broken XML (line {error.lineno}): take it away.") from None
    for element in root.iter("PAMRasterBand"):
        if element.get("band", "1") == str(band):
            return element
    return None


def _listed(element: _Element) -> dict[int, str]:
    """Names of the codes 0, 1, 2, … in order."""
    found = element.findall("CategoryNames/Category")[:_MAX_CODES]
    words = [(one.text or "").strip() for one in found]
    return {code: word for code, word in enumerate(words) if word}


def _attributes(element: _Element, names: dict[int, str], colors: dict[int, str]) -> None:
    """Adds what the attribute table says."""
    table = element.find("GDALRasterAttributeTable")
    if table is None:
        return
    columns: dict[str, int] = {}
    for index, column in enumerate(table.findall("FieldDefn")):
        usage = (column.findtext("Usage") or "").strip()
        label = (column.findtext("Name") or "").strip().lower()
        columns.setdefault(usage, index)
        if label in ("value", "code"):
            columns.setdefault(_VALUE, index)
        if label in ("class", "class_name", "classname", "name", "label", "category"):
            columns.setdefault(_NAME, index)
    value = columns.get(_VALUE, columns.get(_MIN))
    if value is None:
        return
    for row in table.findall("Row")[:_MAX_CODES]:
        cells = [(cell.text or "").strip() for cell in row.findall("F")]
        code = _whole(cells, value)
        if code is None:
            continue
        name = columns.get(_NAME)
        if name is not None and name < len(cells) and cells[name]:
            names[code] = cells[name]
        parts = [_whole(cells, columns.get(usage)) for usage in _COLORS]
        if all(part is not None and 0 <= part <= 255 for part in parts):
            colors[code] = "#" + "".join(f"{part:02x}" for part in parts)


def _whole(cells: list[str], index: Any) -> int | None:
    try:
        value = float(cells[index])
    except (IndexError, TypeError, ValueError):
        return None
    return int(value) if value.is_integer() else None
