"""Catalogs of earthquakes: as a layer, as maps of what they hold, and the forecast after them."""

from .option import Definition, Figure, Option
from .sets import CATALOG, CATALOG_READING, OURS, RUN

QUANTITIES = ("rate", "b", "a", "mc", "energy", "count", "z", "elapsed")
"""Names of `geotools seismicity --list`."""

DECLUSTERING = (
    "gardner-knopoff", "gardner-knopoff-table", "gruenthal", "uhrhammer", "reasenberg", "zaliapin",
)  # fmt: skip
"""Ways of telling the largest event of a cluster from the others."""

_START = "A date such as 2020-01-31 or 2020-01-31T12:00:00, in UTC"

EVENTS = Definition(
    name="events",
    command=("events",),
    title="Earthquakes of a catalog",
    group="earthquakes",
    about="Writes the earthquakes of a catalog as points: colour by depth, size by magnitude, "
    "ready for the temporal controller. Explosions and whatever else is no earthquake are left "
    "out; the log counts what was left out and says why.",
    options=(
        *CATALOG,
        Option(
            "MIN_MAGNITUDE", "float", "--min-magnitude", "Smallest magnitude",
            "All events when not set.",
        ),
        Option("START", "text", "--start", "First moment", f"{_START}."),
        Option("END", "text", "--end", "End", f"{_START}; that moment does not count any more."),
        Option(
            "EXTENT", "box", "--bbox", "Only in this extent", "In any CRS; a box in degrees is "
            "made of it.",
        ),
        Option(
            "ALL_TYPES", "flag", "--all-types", "Explosions too",
            "Keep everything that is no earthquake.", default=False, advanced=True,
        ),
        *CATALOG_READING,
        Option(
            "OUTPUT", "vector_out", "--output", "Earthquakes",
            "GeoPackage with time, depth, magnitude and more.", needed=True,
        ),
    ),
    figures=(
        Figure("COUNT", "Events written", ("written",)),
        Figure("FORMAT_FOUND", "Format of the catalog", ("format",), text=True),
    ),
    tags=("earthquakes", "catalog", "quakeml", "seismology", "temporal"),
    left_out=OURS,
)  # fmt: skip

SEISMICITY = Definition(
    name="seismicity",
    command=("seismicity",),
    title="Seismicity",
    group="earthquakes",
    about="Maps a quantity of the earthquakes of a catalog: rate, b-value, a-value, completeness, "
    "energy, count, change of rate or time since the last event, each with its uncertainty. Cells "
    "with too few events have no value.",
    options=(
        *CATALOG,
        Option(
            "QUANTITY", "choice", "--quantity", "Quantity", "Each with its uncertainty.",
            default="rate", choices=QUANTITIES,
        ),
        Option("EXTENT", "box", "--bbox", "Extent", "That of the events when not set."),
        Option(
            "CELL", "float", "--cell", "Size of a cell",
            "In units of the CRS; a round one, at most 360 a side, when not set.", least=0,
        ),
        Option("CRS", "crs", "--crs", "CRS of the map", "EPSG:4326 when not set.", advanced=True),
        Option(
            "LIKE", "raster", "--like", "Take the grid of this raster",
            "Instead of extent, cell and CRS.", advanced=True,
        ),
        Option(
            "RADIUS", "float", "--radius", "Radius (km)",
            "Events around a cell's centre. When not set: b, a, mc and z take 30 km or two "
            "diagonals of a cell, others the cell's own.", least=0,
        ),
        Option(
            "NEAREST", "int", "--nearest", "Nearest events", "So many, within the radius.",
            advanced=True, least=1,
        ),
        Option(
            "MIN_EVENTS", "int", "--min-events", "Fewest events of a cell",
            "Cells with fewer have no value. When not set: 50 for b, a, mc, z; 1 for energy and "
            "elapsed; 0 for others.", advanced=True, least=0,
        ),
        Option(
            "MC", "text", "--mc", "Completeness",
            "A magnitude, auto, none, or periods such as 1932:4.0,1980:3.2; auto for rate, b, a "
            "and z, none for others, when not set.",
        ),
        Option(
            "DELTA_M", "float", "--delta-m", "Width of magnitude bins", "Of the catalog.",
            default=0.1, advanced=True, least=0,
        ),
        Option(
            "MIN_MAGNITUDE", "float", "--min-magnitude", "Smallest magnitude that counts",
            "All when not set.",
        ),
        Option("START", "text", "--start", "First moment", f"{_START}; the first event's."),
        Option("END", "text", "--end", "End", f"{_START}; the last event's."),
        Option(
            "SINCE", "text", "--since", "For z: since", "The rate since then against before.",
            advanced=True,
        ),
        Option(
            "DECLUSTERED", "choice", "--declustered", "Decluster by",
            "Count the largest event of each cluster alone.", choices=DECLUSTERING, advanced=True,
        ),
        Option(
            "ALL_TYPES", "flag", "--all-types", "Explosions too",
            "Keep everything that is no earthquake.", default=False, advanced=True,
        ),
        *CATALOG_READING,
        *RUN,
        Option(
            "OUTPUT", "raster_out", "--output", "Seismicity", "GeoTIFF of the quantity and its "
            "uncertainty.", needed=True,
        ),
    ),
    figures=(
        Figure("COUNT", "Events that counted", ("events",)),
        Figure("CELLS", "Cells with a value", ("cells_with_value",)),
    ),
    tags=("earthquakes", "b-value", "completeness", "rate", "gutenberg-richter"),
    left_out={**OURS, "--list": "the dialog lists them"},
)  # fmt: skip

FORECAST = Definition(
    name="forecast",
    command=("forecast",),
    title="Earthquake forecast",
    group="earthquakes",
    about="Maps the expected number of earthquakes after the events of a catalog, per cell and "
    "window, with the long-term baseline beside it. Nothing here predicts single earthquakes. The "
    "model for California or the world is taken when it holds the events; 'generic' makes one from "
    "the catalog itself.",
    options=(
        *CATALOG,
        Option(
            "MODEL", "model", "--model", "Model",
            "A seismicity model, or generic for none; the shipped one whose region holds the "
            "events when not set.",
        ),
        Option(
            "START", "text", "--start", "Issue time", f"{_START}; just after the last event when "
            "not set.",
        ),
        Option(
            "HORIZON", "float", "--horizon", "Length of the window (days)",
            "The model's when not set.", least=0,
        ),
        Option(
            "MIN_MAGNITUDE", "float", "--min-magnitude", "Lowest magnitude", "The model's when "
            "not set.",
        ),
        *CATALOG_READING,
        Option(
            "OUTPUT", "raster_out", "--output", "Forecast",
            "GeoTIFF: expected number, probability, baseline and ratio.", needed=True,
        ),
        Option(
            "CELLS", "vector_out", "--cells", "Forecast as cells",
            "GeoPackage: cells, events used, summary.", by_default=False,
        ),
        Option(
            "PICTURE", "file_out", "--picture", "Picture", "PNG of the map and the latest events.",
            by_default=False, filter="PNG (*.png)",
        ),
    ),
    figures=(
        Figure("EXPECTED", "Expected number", ("expected", "0")),
        Figure("BASELINE", "Number by the long-term baseline", ("baseline",)),
        Figure("WINDOW_START", "Start of the window", ("start",), text=True),
        Figure("WINDOW_END", "End of the window", ("end",), text=True),
    ),
    tags=("earthquakes", "etas", "forecast", "probability", "csep", "temporal"),
    left_out=OURS,
)  # fmt: skip
