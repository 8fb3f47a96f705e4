"""geotools.process."""

import subprocess
import sys

ENDING = """
import atexit, gc
from geotools.process import prepare
atexit.register(lambda: print(gc.get_freeze_count() > 1000))  # what is registered first is last
prepare()
print(gc.get_freeze_count())
"""


def test_a_process_ends_without_looking_through_its_objects():
    """They are frozen as it ends, and not before."""
    done = subprocess.run([sys.executable, "-c", ENDING], capture_output=True, text=True)
    assert done.stdout.split() == ["0", "True"], done.stderr
