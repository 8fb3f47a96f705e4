"""Option and Definition: what an algorithm asks for and which words of the command line it becomes.

Plain values, without QGIS, so that tests compare them with `geotools --help-json` anywhere.
"""

from dataclasses import dataclass, field
from typing import Any, Optional


@dataclass(frozen=True)
class Option:
    """One parameter of an algorithm."""

    name: str
    """Its name in Processing, never changed once it was published."""
    kind: str
    """Which parameter of Processing, and how its value is told to the engine: a key of
    `algorithms.parameters.MAKERS`."""
    flag: str
    """Of the command line, such as `--band`; empty: the value stands without a flag."""
    label: str
    """What the dialog calls it."""
    help: str
    """A sentence or two."""
    default: Any = None
    """As the command line has it; None: the engine decides."""
    choices: tuple[str, ...] = ()
    """Words that are allowed."""
    needed: bool = False
    """False: it may be left out."""
    advanced: bool = False
    """Shown when asked for."""
    least: Optional[float] = None
    """Smallest number."""
    most: Optional[float] = None
    """Largest number."""
    beside: str = ""
    """A second flag that the value fills: the layer of a file, the CRS of an extent."""
    filter: str = ""
    """Of files, as Qt's dialogs write it."""
    parent: str = ""
    """Parameter whose bands or fields these are."""
    by_default: bool = True
    """Of outputs: made unless they are switched off."""


@dataclass(frozen=True)
class Figure:
    """A number or text of the result that other steps of a model can take."""

    name: str
    """Of the output in Processing."""
    label: str
    """What the model designer calls it."""
    path: tuple[str, ...]
    """Where it is in the result."""
    text: bool = False
    """A text rather than a number."""


@dataclass(frozen=True)
class Definition:
    """One algorithm."""

    name: str
    """Its id behind `geotools:`, never changed once it was published."""
    command: tuple[str, ...]
    """Words of the command line."""
    title: str
    """What the toolbox calls it."""
    group: str
    """Key of `GROUPS`."""
    about: str
    """What it does, for whoever has not read anything else."""
    options: tuple[Option, ...]
    """In the order of the dialog; those without flag in the order of the command line."""
    figures: tuple[Figure, ...] = ()
    """Beside the files."""
    tags: tuple[str, ...] = ()
    """Words by which the toolbox finds it."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Flags of the command that are not offered, each with the reason."""

    def option(self, name: str) -> Option:
        """The option of that name."""
        return next(one for one in self.options if one.name == name)


GROUPS = {
    "terrain": "Terrain",
    "models": "Models",
    "earthquakes": "Earthquakes",
    "many": "Many inputs",
    "engine": "Engine",
}
"""Title of each group, in the toolbox."""

OUTPUTS = ("raster_out", "vector_out", "file_out", "folder_out")
"""Kinds of what is written."""
