"""Attributes of an elevation model."""

from .option import Definition, Option
from .sets import COG, DEM, DEM_READING, OURS, RUN

ATTRIBUTES = (
    "slope", "aspect", "northness", "eastness", "hillshade", "profile_curvature",
    "plan_curvature", "tangential_curvature", "mean_curvature", "tri", "tri_wilson", "roughness",
    "tpi", "relief", "dev", "positive_openness", "negative_openness",
)  # fmt: skip
"""Names of `geotools terrain --list`."""

TERRAIN = Definition(
    name="terrain",
    command=("terrain",),
    title="Terrain attributes",
    group="terrain",
    about="Writes slope, aspect, curvatures, ruggedness, topographic position, openness and more "
    "of an elevation model, one named band each. Distances are metres on geographic grids too.",
    options=(
        DEM,
        Option(
            "ATTRIBUTES", "choices", "--attribute", "Attributes", "Bands of the output.",
            default=("slope",), choices=ATTRIBUTES,
        ),
        DEM_READING[0],
        Option(
            "RADIUS", "int", "--radius", "Cells to every side",
            "Of the window of tpi, relief, dev and openness; each has its own when not set.",
            least=1,
        ),
        Option(
            "METHOD", "choice", "--method", "Stencil", "Of slope, aspect, hillshade, curvatures.",
            default="horn", choices=("horn", "zevenbergen-thorne"), advanced=True,
        ),
        Option(
            "SLOPE_UNIT", "choice", "--slope-unit", "Unit of the slope", "Of the slope alone.",
            default="degrees", choices=("degrees", "percent", "radians"), advanced=True,
        ),
        Option(
            "AZIMUTH", "float", "--azimuth", "Azimuth of the light (degrees)", "For hillshade.",
            default=315.0, advanced=True,
        ),
        Option(
            "ALTITUDE", "float", "--altitude", "Altitude of the light (degrees)", "For hillshade.",
            default=45.0, advanced=True,
        ),
        Option(
            "EDGES", "flag", "--edges", "Compute cells at edges and voids too",
            "From the neighbours that there are.", default=False, advanced=True,
        ),
        Option(
            "COMPRESS", "choice", "--compress", "Compression", "Of the GeoTIFF.",
            default="zstd", choices=("zstd", "deflate", "lzw", "none"), advanced=True,
        ),
        *DEM_READING[1:],
        COG,
        *RUN,
        Option(
            "OUTPUT", "raster_out", "--output", "Terrain attributes",
            "GeoTIFF with one band for each attribute.", needed=True,
        ),
    ),
    tags=("dem", "slope", "aspect", "curvature", "tpi", "tri", "openness", "hillshade"),
    left_out={**OURS, "--list": "the dialog lists them"},
)  # fmt: skip
