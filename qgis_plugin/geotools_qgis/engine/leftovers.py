"""What an engine that was killed could not take away: hidden names beside its outputs.

An engine that ends by itself leaves none. Plain values, without QGIS.
"""

import os
import re
import shutil

__all__ = ["remove", "unfinished"]

_FILE = r"[0-9a-f]{8}-\d+-[0-9a-f]{8}\.part.*"
"""Host, process, a random word: of a file that is being written."""
_FOLDER = r"[0-9a-f]{12}\.parts"
"""Of the units of a job."""
_LONGEST = 80
"""Letters of an output's name that are kept."""


def unfinished(outputs):
    """Paths of what is half written beside some outputs: a set."""
    found = set()
    for path in outputs:
        folder, name = os.path.split(os.path.abspath(path))
        stems = {os.path.splitext(name)[0][:_LONGEST], name[:_LONGEST]}
        shapes = [rf"\.{re.escape(stem)}\.{_FILE}" for stem in stems]
        shape = re.compile("|".join([*shapes, rf"\.{re.escape(name)}\.{_FOLDER}"]))
        names = os.listdir(folder) if os.path.isdir(folder) else []
        found.update(os.path.join(folder, one) for one in names if shape.fullmatch(one))
    return found


def remove(paths):
    """Takes files and folders away, as far as the system lets it."""
    for path in paths:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
        elif os.path.lexists(path):
            os.remove(path)
