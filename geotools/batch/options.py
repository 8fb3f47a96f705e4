"""The options of each operation: the words of its command, as dataclasses that are their schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from geotools.schema import one_of, within

__all__ = ["ForecastOptions", "LandformOptions", "PredictOptions", "TerrainOptions"]


@dataclass(frozen=True, kw_only=True)
class _RasterOptions:
    """How rasters are written."""

    cog: bool = False
    """Write cloud-optimised GeoTIFFs."""


@dataclass(frozen=True, kw_only=True)
class _DemOptions:
    """How elevation models are read."""

    crs: str | None = None
    """CRS to assume."""
    band: int | None = field(default=None, metadata=within(1))
    """Band that holds the elevation."""
    nodata: float | None = None
    """Value of missing cells."""
    z_factor: float | None = field(default=None, metadata=within(above=0))
    """Metres in one unit of the elevation."""


@dataclass(frozen=True, kw_only=True)
class _PolygonOptions:
    """Polygons beside a class raster."""

    confidence: bool = False
    """Add the model's confidence in per cent as band 2."""
    polygons: bool = False
    """Write polygons to a GeoPackage beside the raster."""
    min_area: float = field(default=0.0, metadata=within(0))
    """Merge polygons smaller than so many square metres."""
    simplify: float = field(default=0.0, metadata=within(0))
    """Simplify outlines by so many metres."""


@dataclass(frozen=True, kw_only=True)
class _ModelOptions:
    """Which cells a model maps, and how it is asked."""

    bbox: tuple[float, float, float, float] | None = None
    """Map only the cells that this rectangle touches: left, bottom, right, top."""
    bbox_crs: str | None = None
    """CRS of `bbox`; the raster's when left out."""
    mask: str | None = None
    """Vector file of polygons: map only the cells whose centre lies in one."""
    mask_layer: str | None = None
    """Layer of `mask`, where it has several."""
    others: tuple[str, ...] = ()
    """Further models: the mean of all is mapped (`--with`)."""
    tta: bool = False
    """Ask the model from all sides, and map the mean."""
    device: str = "auto"
    """Where the model runs."""


@dataclass(frozen=True, kw_only=True)
class LandformOptions(_PolygonOptions, _ModelOptions, _DemOptions, _RasterOptions):
    """`operation = "landforms"`."""

    method: str = field(default="model", metadata=one_of("model", "geomorphons"))
    """The learned model, or the exact algorithm."""
    model: str | None = None
    """Another landform model than the shipped one."""
    search: int | None = field(default=None, metadata=within(1))
    """Geomorphons: cells to look."""
    skip: int | None = field(default=None, metadata=within(0))
    """Geomorphons: nearest cells left out."""
    flat: float | None = field(default=None, metadata=within(0))
    """Geomorphons: flatness threshold in degrees."""
    flat_distance: float | None = field(default=None, metadata=within(0))
    """Geomorphons: flatness distance in cells."""
    dialect: str | None = field(default=None, metadata=one_of("grass", "whitebox", "paper"))
    """Geomorphons: whose rules."""


@dataclass(frozen=True, kw_only=True)
class TerrainOptions(_DemOptions, _RasterOptions):
    """`operation = "terrain"`."""

    attributes: tuple[str, ...] = ("slope",)
    """Bands of the output."""
    method: str = field(default="horn", metadata=one_of("horn", "zevenbergen-thorne"))
    """Stencil of the derivatives."""
    radius: int | None = field(default=None, metadata=within(1))
    """Cells to every side, for windows."""
    azimuth: float = 315.0
    """Where the light of the hillshade comes from, degrees clockwise from north."""
    altitude: float = 45.0
    """How high the light stands, degrees."""
    slope_unit: str = field(default="degrees", metadata=one_of("degrees", "percent", "radians"))
    """Unit of the slope."""
    edges: bool = False
    """Compute cells at edges and voids too."""
    compress: str = field(default="zstd", metadata=one_of("zstd", "deflate", "lzw", "none"))
    """Compression of the output."""


@dataclass(frozen=True, kw_only=True)
class PredictOptions(_PolygonOptions, _ModelOptions, _RasterOptions):
    """`operation = "predict"`."""

    model: str
    """An `.onnx` file, or the name of a model that comes with geotools."""
    entropy: bool = False
    """Write how unsure the model is to a second GeoTIFF."""
    probabilities: bool = False
    """Write every class's probability to a second GeoTIFF."""
    probability_type: str = field(default="float16", metadata=one_of("float16", "uint8", "float32"))
    """How probabilities are stored."""
    crs: str | None = None
    """CRS to assume."""
    bands: tuple[int, ...] | None = field(default=None, metadata=within(1))
    """Bands of the raster in the model's order, from 1."""
    nodata: float | None = None
    """Value of missing cells."""
    scale: float | None = None
    """Foreign models: multiplies the values."""
    mean: tuple[float, ...] | None = None
    """Foreign models: means of the scaled bands."""
    std: tuple[float, ...] | None = None
    """Foreign models: their standard deviations."""
    classes: tuple[str, ...] | None = None
    """Foreign models: names of the classes in the order of the channels."""
    values: bool = False
    """Foreign models: the output is values, not classes."""
    activation: str | None = field(default=None, metadata=one_of("softmax", "sigmoid"))
    """Foreign models: what makes probabilities of the output."""
    standardize: str | None = field(default=None, metadata=one_of("tile"))
    """Foreign models: take every tile's own mean and deviation instead of `scale`."""
    head: int | None = field(default=None, metadata=within(1))
    """Foreign models: which output, from 1."""
    tile_size: int | None = field(default=None, metadata=within(1))
    """Foreign models: cells on a side of a tile."""
    overlap: float | None = field(default=None, metadata=within(0))
    """Foreign models: overlap of tiles in per cent."""
    resolution: float | None = field(default=None, metadata=within(above=0))
    """Foreign models: centimetres in a cell."""
    fill: str | None = field(default=None, metadata=one_of("nearest", "mean", "zero"))
    """Foreign models: what missing cells are to them."""
    run_limit: float | None = field(default=None, metadata=within(above=0))
    """Foreign models: seconds for one tile."""
    resample: bool = False
    """Bring a single raster to cells that the model was made for."""


@dataclass(frozen=True, kw_only=True)
class ForecastOptions:
    """`operation = "forecast"`."""

    cells: bool = False
    """Write cells, events and summary to a GeoPackage beside the raster."""
    model: str | None = None
    """A model, or `generic`; the shipped one whose region holds the events when left out."""
    start: datetime | date | str | None = None
    """Issue time, UTC where no zone is named; after the last event when left out."""
    horizon: float | None = field(default=None, metadata=within(above=0))
    """Length of the window in days."""
    min_magnitude: float | None = None
    """Lowest threshold."""
    format: str | None = None
    """Format of the catalog."""
    columns: Mapping[str, str] | None = None
    """Columns of any other table: `{time = "origin", longitude = "x"}`."""
