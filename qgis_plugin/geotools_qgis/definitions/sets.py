"""Options that several algorithms share, as `geotools/cli/options.py` shares their flags."""

from .option import Option

DEM = Option(
    "INPUT", "raster", "", "Elevation model",
    "Any raster of elevations, projected or in degrees, with or without voids.", needed=True,
)  # fmt: skip

DEM_READING = (
    Option(
        "BAND", "band", "--band", "Band with the elevation",
        "The only band, or the one that says it is elevation, when not set.", parent="INPUT",
    ),
    Option(
        "CRS", "crs", "--crs", "CRS of the elevation model",
        "Only where the file names none or a wrong one; a CRS that was assigned to the layer is "
        "passed on by itself.", advanced=True,
    ),
    Option(
        "NODATA", "float", "--nodata", "Value of missing cells",
        "Only where the file does not declare it.", advanced=True,
    ),
    Option(
        "Z_FACTOR", "float", "--z-factor", "Metres in a unit of elevation",
        "0.3048 for feet; what the file says, or 1, when not set.", advanced=True, least=1e-12,
    ),
)  # fmt: skip

RUN = (
    Option(
        "TILE", "int", "--tile", "Cells on a side of a tile",
        "Chosen from the memory when not set; it does not change the map.", advanced=True, least=1,
    ),
    Option(
        "THREADS", "int", "--threads", "Threads", "All cores when not set.", advanced=True, least=1,
    ),
    Option(
        "MEMORY", "text", "--memory", "Memory for tiles", "Such as 2G.", advanced=True,
    ),
)  # fmt: skip

COG = Option(
    "COG", "flag", "--cog", "Cloud-optimised GeoTIFF", "For files that are read over a network.",
    default=False, advanced=True,
)  # fmt: skip

AREA = (
    Option(
        "EXTENT", "extent", "--bbox", "Only in this extent",
        "Cells that the rectangle touches; each is what it is in the map of all.",
        beside="--bbox-crs",
    ),
    Option(
        "MASK", "polygons", "--mask", "Only inside these polygons",
        "Cells whose centre lies in a polygon.", beside="--mask-layer", advanced=True,
    ),
)  # fmt: skip

POLYGONS = (
    Option(
        "MIN_AREA", "float", "--min-area", "Merge polygons smaller than (m²)",
        "Smaller ones join the neighbour with the longest common border; needs polygons.",
        default=0.0, advanced=True, least=0,
    ),
    Option(
        "SIMPLIFY", "float", "--simplify", "Simplify outlines by (m)",
        "Without gaps or overlaps; needs polygons.", default=0.0, advanced=True, least=0,
    ),
)  # fmt: skip

CONFIDENCE_RASTER = Option(
    "CONFIDENCE_RASTER", "raster_out", "--confidence-file", "Confidence",
    "GeoTIFF: how sure the model is, in per cent.", by_default=False,
)  # fmt: skip

UNITS = (
    Option(
        "EXECUTOR", "choice", "--executor", "What runs the units",
        "Processes survive what kills one of them; threads when not set.",
        choices=("threads", "processes", "serial"), advanced=True,
    ),
    Option(
        "WORKERS", "int", "--workers", "Worker processes",
        "With processes; all cores when not set.", advanced=True, least=1,
    ),
    Option(
        "UNIT", "int", "--unit", "Cells on a side of a unit", "2048 or less when not set.",
        advanced=True, least=1,
    ),
    Option(
        "UNIT_LIMIT", "float", "--unit-limit", "Seconds for a unit",
        "20 times the usual, 300 or more, when not set.", advanced=True, least=0,
    ),
)  # fmt: skip

MODEL_RUN = (
    Option(
        "WITH", "models", "--with", "Models to average with",
        "The map is the mean of all models.", advanced=True, filter="ONNX models (*.onnx)",
    ),
    Option(
        "TTA", "flag", "--tta", "From all sides",
        "The mean over the raster turned and mirrored: 8 times slower.", default=False,
        advanced=True,
    ),
    Option(
        "DEVICE", "text", "--device", "Device",
        "auto, cpu, cuda, coreml, directml, openvino, …; the log says where it ran.",
        default="auto", advanced=True,
    ),
    Option(
        "SEAMS", "flag", "--seams", "Measure seams",
        "Whether the map shows where tiles meet; the log tells.", default=False, advanced=True,
    ),
    Option(
        "DRY_RUN", "flag", "--dry-run", "Only say what it would take",
        "Cells, tiles, disk, memory and time, and whether the input suits; nothing is written.",
        default=False, advanced=True,
    ),
    *UNITS,
)  # fmt: skip

CATALOG = (
    Option(
        "INPUT", "catalog", "", "Catalog file",
        "QuakeML, SeisComP, CSV or GeoJSON of USGS, FDSN text, ISC, GeoNet, ZMAP, NDK, NCEDC, "
        "SCEDC, JMA, HORUS, pyCSEP, HypoDD, … or any table; packed or not. Or give a layer.",
    ),
    Option(
        "LAYER", "events", "", "Or a layer of points",
        "With fields for the time and the magnitude, in any CRS. Its filter and, when asked for, "
        "its selection count.",
    ),
)  # fmt: skip

CATALOG_READING = (
    Option(
        "FORMAT", "text", "--format", "Format of the catalog", "Recognised when not set.",
        advanced=True,
    ),
    Option(
        "COLUMNS", "text", "--columns", "Columns of another table",
        "Pairs such as time=origin,longitude=x,latitude=y,magnitude=m.", advanced=True,
    ),
)  # fmt: skip

MANY_MACHINES = {
    "--job": "for maps that many runs share; one run keeps its work by itself",
    "--shard": "for maps that many runs share",
    "--scheduler": "for clusters",
    "--insecure-scheduler": "for clusters",
}
"""Flags of the command line alone."""

OURS = {
    "--progress": "the plugin asks for JSON",
    "--overwrite": "Processing replaces outputs, so it is always given",
}
"""Flags that the plugin gives by itself."""
