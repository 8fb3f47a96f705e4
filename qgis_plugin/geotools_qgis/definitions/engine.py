"""What is installed, what a model needs, and many inputs at once."""

from .option import Definition, Figure, Option
from .sets import MANY_MACHINES, OURS, RUN, UNITS

DOCTOR = Definition(
    name="doctor",
    command=("doctor",),
    title="Check the engine",
    group="engine",
    about="Says which engine the plugin found, what is installed there and whether it works: GDAL, "
    "ONNX Runtime and its devices, PyTorch, models, writing.",
    options=(
        Option(
            "OUTPUT", "page_out", "", "Findings", "HTML.", by_default=False,
            filter="HTML (*.html)",
        ),
    ),
    figures=(
        Figure("OK", "1 when all that is needed works", ("ok",)),
        Figure("VERSION", "Version of the engine", ("version",), text=True),
        Figure("PYTHON", "Interpreter of the engine", ("python",), text=True),
    ),
    tags=("diagnostics", "install", "version"),
    left_out={"--json": "the plugin asks for JSON"},
)  # fmt: skip

MODEL_INFO = Definition(
    name="modelinfo",
    command=("info",),
    title="What a model needs",
    group="models",
    about="Says what is in an ONNX model: the rasters and bands that it takes, the cell sizes that "
    "it was made for, its classes, figures and licence.",
    options=(
        Option(
            "MODEL", "model", "", "Model",
            "An .onnx file, or the name of a model that comes with geotools.", needed=True,
        ),
        Option(
            "OUTPUT", "page_out", "", "Card", "HTML.", by_default=False, filter="HTML (*.html)",
        ),
    ),
    figures=(
        Figure("NAME", "Name", ("name",), text=True),
        Figure("TASK", "Task", ("task",), text=True),
        Figure("SHA256", "SHA-256", ("sha256",), text=True),
    ),
    tags=("onnx", "model card", "bands", "classes"),
    left_out={"--json": "the plugin asks for JSON"},
)  # fmt: skip

BATCH = Definition(
    name="batch",
    command=("batch",),
    title="Many inputs by a job file",
    group="many",
    about="Does one operation (predict, landforms, terrain or forecast) for every raster or "
    "catalog that a TOML file names: globs, lists, STAC items, CSV tables. What fails stops itself "
    "alone, the same job again does only what is missing, batch.html shows every map. For layers "
    "of a project, the batch mode of each algorithm is as good.",
    options=(
        Option(
            "JOB", "file", "", "Job", "TOML (docs/batch.md).", needed=True, filter="TOML (*.toml)",
        ),
        Option(
            "DATA", "folder", "--data", "Where paths begin", "The job's folder when not set.",
            advanced=True,
        ),
        Option(
            "JOBS", "int", "--jobs", "Inputs at the same time", "In processes that share the "
            "threads.", default=1, least=1, most=1024,
        ),
        Option(
            "DRY_RUN", "flag", "--dry-run", "Only list what would be done", "Nothing is written.",
            default=False,
        ),
        Option(
            "OVERWRITE", "flag", "--overwrite", "Make all again",
            "Otherwise only what is missing is made.", default=False, advanced=True,
        ),
        *UNITS,
        *RUN,
        Option(
            "OUTPUT", "folder_out", "--output", "Folder for all that is made",
            "HTML, CSV, maps; what the job says, or its folder, when not set.", by_default=False,
        ),
    ),
    tags=("batch", "many", "glob", "stac"),
    left_out={
        "--progress": OURS["--progress"],
        **{flag: why for flag, why in MANY_MACHINES.items() if flag != "--shard"},
    },
)  # fmt: skip
