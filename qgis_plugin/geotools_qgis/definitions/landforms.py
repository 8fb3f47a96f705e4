"""The landforms of an elevation model."""

from .option import Definition, Figure, Option
from .sets import (
    AREA,
    COG,
    CONFIDENCE_RASTER,
    DEM,
    DEM_READING,
    MANY_MACHINES,
    MODEL_RUN,
    OURS,
    POLYGONS,
    RUN,
)

LANDFORMS = Definition(
    name="landforms",
    command=("landforms",),
    title="Landforms",
    group="terrain",
    about="Maps ten landforms of an elevation model: flat, peak, ridge, shoulder, spur, slope, "
    "hollow, footslope, valley and pit. The learned model sees through noise, stripes and voids of "
    "elevation models with cells of 5 to 100 m; geomorphons are the exact algorithm, equal to "
    "r.geomorphon of GRASS. The map opens with names and colours; its attribute table holds the "
    "area of each class.",
    options=(
        DEM,
        Option(
            "METHOD", "choice", "--method", "Method",
            "The learned model, which sees through noise, or the exact algorithm.",
            default="model", choices=("model", "geomorphons"),
        ),
        *DEM_READING[:1],
        Option(
            "CONFIDENCE", "flag", "--confidence", "Confidence as band 2",
            "How sure the model is, in per cent.", default=False,
        ),
        AREA[0],
        Option(
            "MODEL", "model", "--model", "Another landform model",
            "An .onnx of a landform training; landforms-v1 when not set.", advanced=True,
        ),
        Option(
            "SEARCH", "int", "--search", "Geomorphons: cells to look", "10 when not set.",
            advanced=True, least=1,
        ),
        Option(
            "SKIP", "int", "--skip", "Geomorphons: nearest cells left out", "0 when not set.",
            advanced=True, least=0,
        ),
        Option(
            "FLAT", "float", "--flat", "Geomorphons: flatness threshold (degrees)",
            "1 when not set.", advanced=True, least=0,
        ),
        Option(
            "FLAT_DISTANCE", "float", "--flat-distance", "Geomorphons: flatness distance (cells)",
            "0 when not set.", advanced=True, least=0,
        ),
        Option(
            "DIALECT", "choice", "--dialect", "Geomorphons: whose rules", "GRASS's when not set.",
            choices=("grass", "whitebox", "paper"), advanced=True,
        ),
        *POLYGONS,
        *DEM_READING[1:],
        AREA[1],
        *MODEL_RUN,
        COG,
        *RUN,
        Option(
            "OUTPUT", "raster_out", "--output", "Landforms", "GeoTIFF with codes 1 to 10.",
            needed=True,
        ),
        Option(
            "POLYGONS", "vector_out", "--polygons", "Landforms as polygons",
            "GeoPackage with class, name, area and mean confidence.", by_default=False,
        ),
        CONFIDENCE_RASTER,
    ),
    figures=(
        Figure("METHOD_USED", "Method", ("method",), text=True),
        *(
            Figure(f"AREA_{name.upper()}", f"Area of {name} (m²)", ("area_m2", name))
            for name in (
                "flat", "peak", "ridge", "shoulder", "spur", "slope", "hollow", "footslope",
                "valley", "pit",
            )
        ),
    ),
    tags=("dem", "geomorphons", "geomorphology", "ridge", "valley", "onnx", "classification"),
    left_out={**OURS, **MANY_MACHINES},
)  # fmt: skip
