"""The sections of a configuration: rasters, cells, labels, tables, splits, augmentation.

Each is a dataclass that is its own schema; they are put together in `config`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as option

from geotools.schema import one_of, within

__all__ = [
    "AugmentConfig",
    "GridConfig",
    "InputConfig",
    "LabelsConfig",
    "SplitConfig",
    "TableConfig",
]

RESAMPLING = ("nearest", "bilinear", "cubic", "average", "mode", "min", "max", "median")


@dataclass(frozen=True, slots=True, kw_only=True)
class InputConfig:
    """One `[[inputs]]`: a raster, a mosaic, or a stack of dates; one for each scene."""

    name: str
    """Word that features call it by."""
    path: str | tuple[str, ...] | None = None
    """A raster; several paths are the same raster of several scenes."""
    mosaic: tuple[str, ...] | None = None
    """Rasters that together cover the scene, instead of `path`; the first has precedence."""
    dates: Mapping[str, str] | None = None
    """Rasters of one place at several dates, by date, instead of `path`."""
    bands: Mapping[str, int | str] | tuple[int | str, ...] | None = None
    """Names or numbers of the bands to use; a table gives them names: `{red = 3, nir = "B08"}`."""
    kind: str = option(default="values", metadata=one_of("values", "classes"))
    """Quantities, or codes of classes."""
    role: str = option(default="auto", metadata=one_of("auto", "elevation", "other"))
    """`elevation`: what `terrain` features are taken from, in metres."""
    resampling: str | None = option(default=None, metadata=one_of(*RESAMPLING))
    """How it is brought onto the grid; nearest for classes, else bilinear, or average when the grid
    is coarser."""
    crs: str | None = None
    """CRS to assume."""
    nodata: float | None = None
    """Value of missing cells."""
    z_factor: float | None = option(default=None, metadata=within(above=0))
    """Metres in one unit of the elevation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridConfig:
    """`[grid]`: the cells that are classified; those of the first input when left out."""

    like: str | None = None
    """Name of the input whose grid it is, or `labels` for that of a label raster."""
    crs: str | None = None
    """Another CRS."""
    cell_size: float | None = option(default=None, metadata=within(above=0))
    """Another cell size, in units of the CRS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelsConfig:
    """`[labels]`: polygons, points, or a raster."""

    path: str | tuple[str, ...]
    """Vector file or raster; several paths are those of several scenes."""
    layer: str | None = None
    """Layer of a vector file with several."""
    field: str | tuple[str, ...] | None = None
    """Field that holds the class or the value; several are those of several scenes. A vector file
    without it is one class, named by `class_name`."""
    class_name: str | None = None
    """Name of the one class that all features are, such as "glacier"; needs `background`. Of a
    raster that holds 0 and one other value, 0 is not it."""
    band: int | None = option(default=None, metadata=within(1))
    """Band of a label raster."""
    crs: str | None = None
    """CRS to assume."""
    nodata: float | None = None
    """Code that stands for unlabelled in a raster, beside its own nodata."""
    classes: (
        Mapping[str, str | bool | int | float | tuple[str | bool | int | float, ...]] | None
    ) = None
    """Name of a class -> the code or codes (field values) that are this class; others are
    unlabelled, or of a raster the `background`. All codes, under their own names, when left
    out."""
    colors: Mapping[str, str] | None = None
    """Name of a class -> #rrggbb."""
    background: str | None = None
    """Name of the class of all cells without a label; they are unlabelled when left out."""
    overlap: str = option(default="drop", metadata=one_of("drop", "first", "last", "smallest"))
    """Where polygons of different classes overlap: unlabelled, or whose class it is. A polygon
    wholly inside another always has its own cells."""
    all_touched: bool = False
    """Label every cell that a polygon touches, not only those whose centre it holds."""
    buffer_m: float = option(default=0.0, metadata=within(0))
    """Radius around points and lines; 0: the cell that holds the point, those along the line."""
    mask: str | None = None
    """Polygons of the study area: nothing is labelled outside."""
    group: str | None = None
    """Field of the group that a feature belongs to, for `split.kind = "group"`."""
    time: str | None = None
    """Field of the feature's date, for `split.kind = "time"`."""
    columns: Mapping[str, str] | None = None
    """For points in a table without geometry: `{x = "lon", y = "lat"}`; radius in metres may be
    given as `radius_m` or diameter in kilometres as `diameter_km`."""
    max_cells: int = option(default=2_000_000, metadata=within(100))
    """Labelled cells kept at most; more are thinned by whole windows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableConfig:
    """`[table]`: rows with features and a target, instead of inputs and labels."""

    path: str
    """CSV (also .gz) or Parquet."""
    target: str
    """Column to learn."""
    features: tuple[str, ...] | None = None
    """Columns to learn from; all numeric ones but the other named columns, and but those that are
    places or numbers of the rows, when left out."""
    categories: tuple[str, ...] = ()
    """Feature columns that hold codes, or texts that are kinds."""
    group: str | None = None
    """Column of the group, for `split.kind = "group"` or `"list"`."""
    time: str | None = None
    """Column of the date, for `split.kind = "time"`."""
    x: str | None = None
    """Column of the place, for `split.kind = "blocks"`."""
    y: str | None = None
    """As `x`."""
    crs: str | None = None
    """CRS of x and y."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitConfig:
    """`[split]`: what keeps training and test apart."""

    kind: str = option(
        default="auto",
        metadata=one_of("auto", "blocks", "polygons", "group", "time", "list", "raster", "random"),
    )
    """`auto`: groups where `labels.group` or `table.group` names some, polygons for polygon labels
    that stand apart, blocks for everything else with a place, random for tables without one."""
    folds: int = option(default=5, metadata=within(2, 20))
    """Rounds; every block is tested once."""
    size_m: float | None = option(default=None, metadata=within(above=0))
    """Side of a block in metres; from the range of the semivariogram when left out."""
    buffer_m: float = option(default=0.0, metadata=within(0))
    """Training cells nearer than this to a test cell are left out."""
    train: tuple[str | int, ...] | None = None
    """For `list`: groups that are learned from."""
    validation: tuple[str | int, ...] | None = None
    """For `list`: groups that decide; drawn from `train` when left out."""
    test: tuple[str | int, ...] | None = None
    """For `list`: groups that are tested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentConfig:
    """`[augment]`: how training tiles are varied; what is 0 or false is not done."""

    rotate: bool = True
    """By any angle."""
    flip: bool = True
    """Left to right and top to bottom."""
    shift: float = option(default=0.1, metadata=within(0, 0.5))
    """By up to this share of the tile."""
    shear: float = option(default=0.1, metadata=within(0, 0.5))
    """By up to this slope."""
    zoom: float = option(default=0.1, metadata=within(0, 0.5))
    """By up to this share, in and out."""
    noise: float = option(default=0.02, metadata=within(0, 1))
    """Standard deviation, in those of each feature."""
    drop_bands: float = option(default=0.0, metadata=within(0, 0.9))
    """Probability that a feature is replaced by its mean."""
