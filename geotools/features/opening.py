"""open_stack: raster files as a FeatureStack, as a model's spec says which bands it needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from geotools.errors import ModelError, RasterError
from geotools.features.names import expand_features, shown_bands, slug
from geotools.features.stack import FeatureStack
from geotools.grid import Grid
from geotools.io.aligned import AlignedFile, open_aligned
from geotools.io.geotiff import RasterFile, open_raster
from geotools.io.places import covering
from geotools.spec import SourceInfo

__all__ = [
    "SourceFiles",
    "band_names",
    "find_bands",
    "grid_of",
    "has_band",
    "open_files",
    "open_stack",
    "slug",
]

FilePath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """The files of one source, and how they are to be read."""

    paths: tuple[tuple[FilePath, ...], ...]
    """For each date the files that are one mosaic; one entry for a source without dates."""
    numbers: tuple[tuple[int, ...], ...]
    """Band numbers from 1, for each date."""
    crs: str | None = None
    """CRS to assume."""
    nodata: float | None = None
    """Value of missing cells."""


def open_stack(
    paths: Sequence[Sequence[FilePath]],
    infos: Sequence[SourceInfo],
    features: Sequence[str],
    *,
    grid: Grid | None = None,
    crs: str | None = None,
    nodata: float | None = None,
    bands: Sequence[int] | None = None,
    warn: Callable[[str], None] | None = None,
) -> FeatureStack:
    """Raster files as features, to be used in a `with` statement.

    Bands are found by their names, where the file describes all that are needed; else by their
    numbers, where it has as many bands as the rasters that the infos were made from; else it must
    have exactly the bands that are needed, in order.

    Args:
        paths: for each info its rasters: one for each date, or several that are one mosaic.
        infos: what each source is.
        features: names as in `features.names`.
        grid: the cells; those of the first raster when None.
        crs: the CRS to assume, instead of the files' own.
        nodata: the value to take as invalid in all of them, instead of the sources' or files' own.
        bands: numbers from 1 of the bands of the only source, instead of finding them.
        warn: called with a sentence where numbers find a band that is described otherwise.

    Raises:
        RasterError: rasters that are too many, too few, or lack a band; bands for several sources.
        FileError: a path that is no raster.
        GridError: a raster without a place, or elsewhere.
        ConfigError: a feature that the sources do not have.
        ModelError: infos that name no bands, or not a number for each.
    """
    for info in infos:
        if not info.bands or len(info.numbers) != len(info.bands) or min(info.numbers) < 1:
            raise ModelError(
                f"The source {info.name} has the bands {info.bands} and the numbers "
                f"{info.numbers}: a number from 1 is needed for each, so export the model again."
            )
    expand_features(features, infos)
    if len(paths) != len(infos) or not all(paths):
        needed = ", ".join(_wanted(info) for info in infos)
        raise RasterError(
            f"{len(infos)} sources are needed, {needed}, and {sum(map(bool, paths))} are given: "
            "give them in this order."
        )
    if bands is not None and (len(infos) != 1 or len(bands) != len(infos[0].bands)):
        if len(infos) != 1:
            raise RasterError(
                "Bands of several rasters are found by themselves: leave --bands out."
            )
        raise RasterError(
            f"{len(bands)} bands are chosen, and {infos[0].name} needs {len(infos[0].bands)} "
            f"({', '.join(infos[0].bands)}): give one number for each, in this order."
        )
    described = []
    for info, listed in zip(infos, paths, strict=True):
        if info.dates and len(listed) != len(info.dates):
            raise RasterError(
                f"{info.name} needs {_wanted(info)}, and {len(listed)} rasters are given: give one "
                "for each date."
            )
        dated = tuple((path,) for path in listed) if info.dates else (tuple(listed),)
        numbers = tuple(
            find_bands(info, mosaic[0], crs, warn=warn) if bands is None else tuple(bands)
            for mosaic in dated
        )
        missing = info.nodata if nodata is None else nodata
        described.append(SourceFiles(dated, numbers, crs, missing))
    return open_files(described, infos, features, grid=grid or grid_of(paths[0], crs=crs))


def open_files(
    files: Sequence[SourceFiles],
    infos: Sequence[SourceInfo],
    features: Sequence[str],
    *,
    grid: Grid,
) -> FeatureStack:
    """A stack of files whose bands are known.

    Args:
        files: for each info.
        infos: what each source is.
        features: names as in `features.names`.
        grid: the cells.

    Raises:
        GeotoolsError: as `open_stack`.
    """
    with ExitStack() as stack:
        sources: list[tuple[SourceInfo, list[AlignedFile]]] = []
        for info, given in zip(infos, files, strict=True):
            kind = "elevation" if info.role == "elevation" else info.kind
            dates = [
                stack.enter_context(
                    open_aligned(
                        mosaic, grid, bands=numbers, kind=kind, resampling=info.resampling,
                        crs=given.crs, nodata=given.nodata,
                        z_factor=info.z_factor if kind == "elevation" else None,
                    )
                )
                for mosaic, numbers in zip(given.paths, given.numbers, strict=True)
            ]  # fmt: skip
            sources.append((info, dates))
        names = dict.fromkeys(name for _, dates in sources for one in dates for name in one.files)
        result = FeatureStack(sources, features, files=tuple(names))
        result.closes(stack.pop_all().close)
    return result


def grid_of(paths: Sequence[FilePath], *, crs: str | None = None) -> Grid:
    """The cells of the first raster, continued over all others."""
    grids = []
    for path in paths:
        with open_raster(path, crs=crs) as file:
            grids.append((file.grid, file.name))
    return covering(grids)


def band_names(file: RasterFile) -> tuple[str, ...]:
    """A name for each band: its description in lower-case letters, digits and _, or its number.

    Numbers where the descriptions of a file are missing, alike, or numbers themselves.
    """
    names = [
        "" if band == f"band {number}" else slug(band)
        for band, number in zip(file.bands, file.band_numbers, strict=True)
    ]
    return tuple(
        name if name and not name.isdigit() and names.count(name) == 1 else str(number)
        for name, number in zip(names, file.band_numbers, strict=True)
    )


def has_band(path: FilePath, number: int, *, crs: str | None = None) -> bool:
    """True when the file has a band of this number, alpha included."""
    try:
        open_raster(path, crs=crs, bands=[number]).close()
    except RasterError:
        return False
    return True


def find_bands(
    info: SourceInfo,
    path: FilePath,
    crs: str | None,
    *,
    warn: Callable[[str], None] | None = None,
) -> tuple[int, ...]:
    """The numbers of the bands in this file, found as in `open_stack`.

    Args:
        info: what is needed.
        path: the file.
        crs: the CRS to assume.
        warn: called with a sentence where numbers find a band that is described otherwise.

    Raises:
        RasterError: the file has other bands, or some in another place.
    """
    with open_raster(path, crs=crs) as file:
        names, numbers = band_names(file), file.band_numbers
        described = dict(zip(names, numbers, strict=True))
        wanted = [band.lower() for band in info.bands]
        if all(band in described and not band.isdigit() for band in wanted):
            return tuple(described[band] for band in wanted)
        # An alpha band is not counted, but was, if it was used.
        with_alpha = max(info.numbers) == info.count == len(numbers) + 1
        if len(numbers) == info.count or (with_alpha and has_band(path, info.count, crs=crs)):
            taken = info.numbers
        elif len(numbers) == len(info.bands):
            taken = numbers
        else:
            raise RasterError(
                f"{file.name} has {len(numbers)} bands ({shown_bands(names)}), and {info.name} "
                f"needs {shown_bands(info.bands)}: give a raster with these names, with "
                f"{info.count} bands, or with just these {len(info.bands)}."
            )
    found = [
        (band, number, described.get(band, number), names[numbers.index(number)])
        for band, number in zip(wanted, taken, strict=True)
        if not band.isdigit() and number in numbers
    ]
    if moved := [f"{band} in band {at}" for band, number, at, _ in found if at != number]:
        raise RasterError(
            f"{file.name} has {', '.join(moved)}, where {info.name} has its bands in another "
            f"order, and not all that it needs by name ({', '.join(info.bands)}): describe the "
            "bands with these names, or choose them by --bands."
        )
    others = [
        f"band {number} ({name}) as {band}"
        for band, number, _, name in found
        if name not in (band, str(number))
    ]
    if others and warn is not None:
        warn(
            f"{file.name} describes its bands otherwise than the model, and {', '.join(others[:6])}"
            f"{' and so on' if len(others) > 6 else ''} was taken by number: check that these are "
            "the same."
        )
    return taken


def _wanted(info: SourceInfo) -> str:
    dates = f" at {len(info.dates)} dates ({', '.join(info.dates)})" if info.dates else ""
    return f"{info.name}{dates}"
