"""From labels to a model."""

from .option import Definition, Figure, Option
from .sets import OURS

LEARNERS = (
    "auto", "forest", "boosting", "logistic", "svm", "dense", "cnn", "unet", "gru", "tcn",
)  # fmt: skip
"""Names that `--learner` takes."""

METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "iou", "kappa")
"""Metrics of classes."""

TRAIN = Definition(
    name="train",
    command=("train",),
    title="Train on your own labels",
    group="models",
    about="Learns a model from rasters and polygons or points with a class, and says how good it "
    "is on blocks that were not learned from, with an interval, the commonest class and a random "
    "forest beside it. Give rasters and labels here, or the configuration of a training as a TOML "
    "file, which knows much more (docs/train.md). The folder gets model.onnx, which 'Map by a "
    "model' takes, report.html, evaluation.json, card.md and split.gpkg. A training that was "
    "stopped goes on where it was. The engine needs the extra 'train'.",
    options=(
        Option(
            "CONFIG", "file", "", "Configuration", "TOML; or rasters and labels.",
            filter="TOML (*.toml)",
        ),
        Option(
            "RASTERS", "toml_rasters", "", "Rasters", "The first one gives the cells.",
        ),
        Option(
            "FEATURES", "toml_text", "", "Features",
            "Names such as dem, terrain.slope, terrain.dev@300m, imagery.ndvi, with commas; all "
            "bands of all rasters when not set. Rasters are called as their layers are.",
        ),
        Option("LABELS", "toml_labels", "", "Labels", "Polygons or points with a class."),
        Option(
            "FIELD", "toml_field", "", "Field with the class", "Or name the one class.",
            parent="LABELS",
        ),
        Option(
            "CLASS_NAME", "toml_text", "", "The one class of all features",
            "Such as glacier; needs a background.",
        ),
        Option(
            "BACKGROUND", "toml_text", "", "Class of everything without a label",
            "Such as no glacier; unlabelled when not set.",
        ),
        Option(
            "METRIC", "toml_choice", "", "Score that decides", "macro_f1 when not set.",
            choices=METRICS, advanced=True,
        ),
        Option(
            "LEARNER", "choice", "--learner", "Learner",
            "The configuration's when not set, which is auto by default.", choices=LEARNERS,
        ),
        Option(
            "INIT", "text", "--init", "Start a net from",
            "landforms-v1, or the folder of another training.", advanced=True,
        ),
        Option(
            "DATA", "folder", "--data", "Where paths begin",
            "Of the configuration; its folder when not set.", advanced=True,
        ),
        Option(
            "SEED", "int", "--seed", "Seed", "The configuration's when not set.", advanced=True,
            least=0, most=2147483647,
        ),
        Option(
            "THREADS", "int", "--threads", "Threads", "All cores when not set.", advanced=True,
            least=1, most=1024,
        ),
        Option(
            "OVERWRITE", "flag", "--overwrite", "Replace an earlier training",
            "Otherwise a folder with a finished training is refused.", default=False,
            advanced=True,
        ),
        Option(
            "OUTPUT", "folder_out", "--output", "Folder of the training",
            "For all that is made.", needed=True,
        ),
    ),
    figures=(
        Figure("MODEL", "Model", ("@model",), text=True),
        Figure("REPORT", "Report", ("@report",), text=True),
    ),
    tags=("machine learning", "random forest", "u-net", "classification", "onnx", "labels"),
    left_out={"--progress": OURS["--progress"]},
)  # fmt: skip
