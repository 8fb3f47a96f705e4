"""How good maps and forecasts are."""

from .option import Definition, Figure, Option
from .sets import CATALOG, CATALOG_READING, OURS

EVALUATE = Definition(
    name="evaluate",
    command=("evaluate", "map"),
    title="Compare a map with labels",
    group="models",
    about="Compares a class map with polygons, points or a raster of labels that it was not made "
    "from. The report holds the confusion matrix, every class with an interval that resamples "
    "whole features, or blocks of a raster, and areas with their standard errors.",
    options=(
        Option("INPUT", "raster", "", "Class map", "A raster of class codes.", needed=True),
        Option(
            "LABELS", "vector", "", "Labels", "Polygons or points. Or give a raster.",
            beside="--layer",
        ),
        Option(
            "LABEL_RASTER", "label_raster", "", "Or a raster of labels",
            "Of class codes, on any grid.", beside="--labels-crs",
        ),
        Option(
            "LABEL_CLASSES", "text", "--label-classes", "Codes of the raster of labels",
            "name=code,…, where it does not name its classes.", advanced=True,
        ),
        Option(
            "FIELD", "field", "--field", "Field with the class", "Found when not set.",
            parent="LABELS",
        ),
        Option(
            "CLASS_NAME", "text", "--class-name", "The one class of all features",
            "Instead of a field; needs a background.",
        ),
        Option(
            "BACKGROUND", "text", "--background", "Class of everything without a label",
            "Left out of the comparison when not set.",
        ),
        Option(
            "MASK", "polygons_file", "--mask", "Only inside these polygons",
            "The area that counts.", advanced=True,
        ),
        Option(
            "BUFFER", "float", "--buffer", "Radius around points (m)", "0: the cell of the point.",
            default=0.0, advanced=True, least=0,
        ),
        Option(
            "BAND", "int", "--band", "Band of the map", "With the codes.", default=1,
            advanced=True, least=1,
        ),
        Option(
            "CLASSES", "text", "--classes", "Codes of the map",
            "name=code,…, where the map does not name its classes.", advanced=True,
        ),
        Option(
            "METRIC", "choice", "--metric", "Figure that is told first", "The report holds all.",
            default="accuracy",
            choices=("accuracy", "balanced_accuracy", "macro_f1", "iou", "kappa"),
        ),
        Option(
            "SEED", "int", "--seed", "Seed", "Of all that is drawn.", default=0, advanced=True,
            least=0,
        ),
        Option(
            "OUTPUT", "file_out", "--output", "Report", "HTML.", needed=True,
            filter="HTML (*.html)",
        ),
        Option(
            "TABLE", "file_out", "--table", "Figures", "JSON.", by_default=False,
            filter="JSON (*.json)",
        ),
    ),
    tags=("accuracy", "confusion matrix", "validation", "iou", "kappa"),
    left_out=OURS,
)  # fmt: skip

EVALUATE_FORECAST = Definition(
    name="evaluateforecast",
    command=("evaluate", "forecast"),
    title="Test forecasts against what happened",
    group="earthquakes",
    about="Issues forecasts through the past of a catalog and tests them on what happened: the "
    "tests of CSEP and the information gain over every baseline, with intervals that resample "
    "whole months.",
    options=(
        *CATALOG,
        Option(
            "MODEL", "model", "--model", "Model",
            "A seismicity model, or generic for none; the shipped one whose region holds the "
            "events when not set.",
        ),
        Option(
            "START", "text", "--start", "First issue time",
            "UTC; the end of the model's training, or the last fifth, when not set.",
        ),
        Option("END", "text", "--end", "End", "No window reaches beyond; the last event's."),
        Option(
            "HORIZON", "float", "--horizon", "Length of a window (days)",
            "The model's when not set.", least=0,
        ),
        Option(
            "STEP", "float", "--step", "From window to window (days)", "The horizon when not set.",
            advanced=True, least=0,
        ),
        Option(
            "MIN_MAGNITUDE", "float", "--min-magnitude", "Lowest magnitude",
            "The model's when not set.",
        ),
        Option(
            "SIMULATIONS", "int", "--simulations", "Catalogs drawn for each test", "1000 do.",
            default=1000, advanced=True, least=1,
        ),
        Option(
            "SEED", "int", "--seed", "Seed", "Of all that is drawn.", default=0, advanced=True,
            least=0,
        ),
        *CATALOG_READING,
        Option(
            "OUTPUT", "file_out", "--output", "Report", "HTML.", needed=True,
            filter="HTML (*.html)",
        ),
        Option(
            "TABLE", "file_out", "--table", "Figures", "CSV or JSON.", by_default=False,
            filter="CSV (*.csv);;JSON (*.json)",
        ),
    ),
    figures=(
        Figure("COUNT", "Events that came", ("events",)),
        Figure("WINDOWS", "Windows", ("windows",)),
    ),
    tags=("csep", "earthquakes", "validation", "information gain"),
    left_out=OURS,
)  # fmt: skip
