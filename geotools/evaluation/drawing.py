"""Drawing: a matplotlib figure as a data URI, in one style, without any state of its own.

Colours are those of Okabe and Ito (2008), told apart by most people; lines differ in dashes too.
matplotlib is imported late.
"""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "DASHES", "data_uri", "drawn", "plain"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 2, 1, 2)), (0, (9, 3)))

_STYLE: Any = {
    "svg.hashsalt": "geotools",  # the same figure is the same file
    "font.size": 9.0,
    "axes.grid": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


@contextmanager
def drawn(
    width: float, height: float, *, transparent: bool = False
) -> Iterator[tuple[Figure, Callable[[str], str]]]:
    """A figure of that size in inches, and a function that gives it as a data URI: svg or png."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    def render(kind: str) -> str:
        stream = io.BytesIO()
        metadata = {"Date": None} if kind == "svg" else {"Software": None}
        figure.savefig(stream, format=kind, dpi=110, metadata=metadata, transparent=transparent)
        mime = {"svg": "image/svg+xml", "png": "image/png"}[kind]
        return data_uri(stream.getvalue(), mime)

    with rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, render


def data_uri(data: bytes, mime: str) -> str:
    """The bytes as an address that holds them."""
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"


def plain(label: str) -> str:
    """The label as text, whatever signs it holds: dollars would begin a formula."""
    return label.replace("$", r"\$")
