"""read_items: the items of a STAC file, and which local files their assets are.

JSON of others (STAC 1.0 and 1.1, https://stacspec.org): bounded, nothing fetched, no link followed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from geotools.errors import FileError

__all__ = ["StacItem", "choose_assets", "read_items"]

_MAX_BYTES = 256 * 2**20
_MAX_ITEMS = 100_000


@dataclass(frozen=True, slots=True)
class StacItem:
    """What is needed of one item."""

    id: str
    """Its id."""
    date: str
    """Day of `datetime`, or of `start_datetime`, as 2020-01-31; empty without one."""
    collection: str
    """Id of its collection; empty without one."""
    assets: Mapping[str, Mapping[str, Any]]
    """Its assets by key, as they are."""


def read_items(file: Path) -> list[StacItem]:
    """The items of an item, or of an item collection, in their order.

    Raises:
        FileError: no such file, too large, not JSON, or neither of the two.
    """
    try:
        if not file.is_file():
            raise FileError(f"The STAC file {file} does not exist: check the path.")
        if file.stat().st_size > _MAX_BYTES:
            raise FileError(f"{file} is larger than 256 MB: give a smaller item collection.")
        content = json.loads(file.read_bytes().decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise FileError(f"{file} is not JSON ({error}): give a STAC item collection.") from None
    except (OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"The STAC file {file} cannot be read ({error}): check it.") from None
    kind = content.get("type") if isinstance(content, Mapping) else None
    if kind == "FeatureCollection" and isinstance(content.get("features"), list):
        features = content["features"]
    elif kind == "Feature":
        features = [content]
    else:
        hint = f" (it is a {kind})" if kind in ("Catalog", "Collection") else ""
        raise FileError(f"{file} is no STAC item or item collection{hint}: give one of these.")
    if len(features) > _MAX_ITEMS:
        raise FileError(f"{file} holds {len(features):,} items: give at most {_MAX_ITEMS:,}.")
    return [_item(feature, number, file) for number, feature in enumerate(features, 1)]


def _item(feature: Any, number: int, file: Path) -> StacItem:
    if not isinstance(feature, Mapping) or not isinstance(feature.get("assets"), Mapping):
        raise FileError(f"{file}: item {number} has no assets: give a STAC item collection.")
    properties = feature.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    found = (properties.get(name) for name in ("datetime", "start_datetime"))
    assets = {
        str(key): asset for key, asset in feature["assets"].items() if isinstance(asset, Mapping)
    }
    return StacItem(
        id=str(feature.get("id", f"item {number}")),
        date=next(filter(None, map(_day, found)), ""),
        collection=str(feature.get("collection") or ""),
        assets=assets,
    )


def _day(moment: Any) -> str:
    try:
        return datetime.fromisoformat(moment).date().isoformat()
    except (TypeError, ValueError):
        return ""


def choose_assets(item: StacItem, keys: Sequence[str], role: str, file: Path) -> tuple[Path, ...]:
    """The files of an item: those of the keys, or without keys the one asset that has the role.

    Relative addresses begin in the folder of the STAC file.

    Raises:
        FileError: no such asset, several that have the role, or one that is no local file.
    """
    listed = ", ".join(list(item.assets)[:10]) or "none"
    if not keys:
        keys = [key for key, asset in item.assets.items() if role in _roles(asset)]
        if not keys and len(item.assets) == 1:
            keys = list(item.assets)
        if len(keys) != 1:
            found = f"{len(keys)} assets" if keys else "no asset"
            raise FileError(
                f"The item {item.id} of {file.name} has {found} with the role {role!r}: name one "
                f"with asset, of {listed}."
            )
    for key in keys:
        if key not in item.assets:
            raise FileError(
                f"The item {item.id} of {file.name} has no asset {key!r}: there are {listed}."
            )
    return tuple(_local(item.assets[key].get("href"), item, key, file) for key in keys)


def _roles(asset: Mapping[str, Any]) -> Sequence[Any]:
    roles = asset.get("roles")
    return roles if isinstance(roles, list) else []


def _local(href: Any, item: StacItem, key: str, file: Path) -> Path:
    named = f"The asset {key!r} of the item {item.id}"
    if not isinstance(href, str) or not href or "\0" in href:
        raise FileError(f"{named} has no address: mend {file.name}.")
    if href.lower().startswith("file:"):
        parts = urlsplit(href)
        if parts.netloc not in ("", "localhost"):
            raise FileError(f"{named} is on {parts.netloc}: only local files are read.")
        return Path(unquote(parts.path))
    if href.startswith("/vsi") or re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", href):
        raise FileError(f"{named} is {href[:120]}, which is no local file: download it first.")
    path = file.parent / href
    # Relative addresses may be written as in a URL, with %20 for a space.
    return path if path.exists() or "%" not in href else file.parent / unquote(href)
