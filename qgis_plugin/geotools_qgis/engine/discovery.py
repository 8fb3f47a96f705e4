"""Which engine there is: a command that starts geotools.

Nothing is started here; whether it works shows when it is used.
"""

import os
import shutil
import sys
from dataclasses import dataclass

__all__ = [
    "MARKER", "SETTING", "VARIABLE", "Engine", "EngineError", "find_engine", "interpreter_in",
    "managed_folder",
]  # fmt: skip

MARKER = "geotools-engine.txt"
"""File of the managed environment that says that it is complete."""

VARIABLE = "GEOTOOLS_PYTHON"
"""Environment variable that names the interpreter before anything else."""

SETTING = "geotools/python"
"""Key of QGIS's settings that names it."""


class EngineError(Exception):
    """A sentence for the user: what of the engine is wrong and what to do."""


@dataclass(frozen=True)
class Engine:
    """How geotools is started."""

    command: tuple[str, ...]
    """Program and first words."""
    origin: str
    """Why this one."""

    @property
    def program(self):
        """The file that is started."""
        return self.command[0]


def managed_folder():
    """The folder of the environment that the plugin makes when it is asked to."""
    return os.path.join(os.path.expanduser("~"), ".geotools", "engine")


def interpreter_in(folder):
    """The interpreter of a virtual environment."""
    parts = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
    return os.path.join(folder, *parts)


def find_engine(environment=None, setting="", managed=None):
    """The engine that is used: variable, setting, managed environment, `geotools` on the path.

    Args:
        environment: that of this process by default.
        setting: what QGIS's settings say; empty for nothing.
        managed: folder of the managed environment; `managed_folder()` by default.

    Raises:
        EngineError: the variable or the setting names what does not exist, or nothing is found.
    """
    source = os.environ if environment is None else environment
    for told, origin in (
        (source.get(VARIABLE, ""), f"environment variable {VARIABLE}"),
        (setting, "QGIS's options, page geotools"),
    ):
        if told:
            path = os.path.abspath(os.path.expanduser(told))
            if not os.path.isfile(path):
                raise EngineError(
                    f"The Python interpreter {told}, named by the {origin}, does not exist: choose "
                    "another in Settings > Options > geotools."
                )
            return Engine((path, "-m", "geotools"), origin)
    folder = managed or managed_folder()
    path = interpreter_in(folder)
    if os.path.isfile(path) and os.path.isfile(os.path.join(folder, MARKER)):
        return Engine((path, "-m", "geotools"), "environment made by the plugin")
    found = shutil.which("geotools", path=source.get("PATH"))
    if found:
        return Engine((found,), "command geotools on the path")
    raise EngineError(
        "No engine is there: let Settings > Options > geotools create one, or choose a Python "
        f"with the package geotools-ml there, or name it in {VARIABLE}."
    )
