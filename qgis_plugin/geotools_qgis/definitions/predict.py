"""Any model over any rasters."""

from .option import Definition, Figure, Option
from .sets import AREA, COG, CONFIDENCE_RASTER, MANY_MACHINES, MODEL_RUN, OURS, POLYGONS, RUN

PREDICT = Definition(
    name="predict",
    command=("predict",),
    title="Map by a model",
    group="models",
    about="Maps what an ONNX model says of every cell of one or several rasters: its classes, or "
    "its values. Models of geotools know their bands, cell sizes, classes and colours; models of "
    "others run by the metadata of Deepness, or by the bands, scale and classes that are given "
    "here. Rasters of one band are as good as any. Tiles do not show: 'Measure seams' proves it. "
    "Give the rasters in the order that 'What a model needs' tells.",
    options=(
        Option(
            "MODEL", "model", "", "Model",
            "An .onnx file, or the name of a model that comes with geotools.", needed=True,
        ),
        Option(
            "INPUT", "rasters", "", "Rasters", "In the order in which the model takes them.",
            needed=True,
        ),
        Option(
            "CONFIDENCE", "flag", "--confidence", "Confidence as band 2",
            "How sure the model is, in per cent.", default=False,
        ),
        AREA[0],
        Option(
            "BANDS", "text", "--bands", "Bands in the model's order",
            "Numbers from 1 such as 3,2,1; those that the model names when not set.",
        ),
        Option(
            "CLASSES", "text", "--classes", "Models of others: classes",
            "Names in the order of the channels, or 1=water,2=forest; of one channel, what it "
            "finds.",
        ),
        Option(
            "SCALE", "text", "--scale", "Models of others: scale",
            "Multiplies the values, such as 1/255.", advanced=True,
        ),
        Option(
            "MEAN", "text", "--mean", "Models of others: means", "Of the scaled bands: 0.4,0.5.",
            advanced=True,
        ),
        Option(
            "STD", "text", "--std", "Models of others: standard deviations", "Of the scaled bands.",
            advanced=True,
        ),
        Option(
            "VALUES", "flag", "--values", "Models of others: output is values",
            "Instead of classes.", default=False, advanced=True,
        ),
        Option(
            "ACTIVATION", "choice", "--activation", "Models of others: activation",
            "What makes probabilities of the output.", choices=("softmax", "sigmoid"),
            advanced=True,
        ),
        Option(
            "STANDARDIZE", "choice", "--standardize", "Models of others: standardise",
            "Every tile by its own mean and deviation instead of a scale.", choices=("tile",),
            advanced=True,
        ),
        Option(
            "FILL", "choice", "--fill", "Models of others: missing cells",
            "What they are to the net; the nearest cell when not set.",
            choices=("nearest", "mean", "zero"), advanced=True,
        ),
        Option(
            "HEAD", "int", "--head", "Models of others: which output", "From 1; 1 when not set.",
            advanced=True, least=1,
        ),
        Option(
            "TILE_SIZE", "int", "--tile-size", "Models of others: cells of a tile",
            "512 when not set.", advanced=True, least=1,
        ),
        Option(
            "OVERLAP", "float", "--overlap", "Models of others: overlap (%)", "15 when not set.",
            advanced=True, least=0, most=99,
        ),
        Option(
            "RESOLUTION", "float", "--resolution", "Models of others: centimetres in a cell",
            "What the metadata says when not set.", advanced=True, least=0,
        ),
        Option(
            "RUN_LIMIT", "float", "--run-limit", "Models of others: seconds for a tile",
            "600 when not set.", advanced=True, least=0,
        ),
        Option(
            "RESAMPLE", "flag", "--resample", "Resample the raster",
            "Bring it to cells that the model was made for.", default=False, advanced=True,
        ),
        Option(
            "PROBABILITY_TYPE", "choice", "--probability-type", "Type of probabilities",
            "uint8 in steps of 0.4 %.", default="float16",
            choices=("float16", "uint8", "float32"), advanced=True,
        ),
        *POLYGONS,
        Option(
            "CRS", "crs", "--crs", "CRS of the rasters",
            "Only where the files name none or a wrong one.", advanced=True,
        ),
        Option(
            "NODATA", "float", "--nodata", "Value of missing cells",
            "Only where the files do not declare it.", advanced=True,
        ),
        AREA[1],
        *MODEL_RUN,
        COG,
        *RUN,
        Option(
            "OUTPUT", "raster_out", "--output", "Map", "GeoTIFF of classes or values.",
            needed=True,
        ),
        Option(
            "POLYGONS", "vector_out", "--polygons", "Map as polygons",
            "GeoPackage with class, name, area and mean confidence.", by_default=False,
        ),
        CONFIDENCE_RASTER,
        Option(
            "ENTROPY", "raster_out", "--entropy-file", "Entropy",
            "GeoTIFF: how unsure the model is, in per cent of not knowing at all.",
            by_default=False,
        ),
        Option(
            "PROBABILITIES", "raster_out", "--probabilities-file", "Probabilities",
            "GeoTIFF with a band for each class.", by_default=False,
        ),
    ),
    figures=(
        Figure("MODEL_USED", "Model", ("model",), text=True),
        Figure("DEVICE_USED", "Device", ("device",), text=True),
    ),
    tags=("onnx", "inference", "segmentation", "classification", "deep learning", "deepness"),
    left_out={
        **OURS,
        **MANY_MACHINES,
        "--entropy": "an output of its own, so that it is loaded and can be chained",
        "--probabilities": "an output of its own, so that it is loaded and can be chained",
    },
)  # fmt: skip
