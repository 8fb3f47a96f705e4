"""geotools.process."""

import subprocess
import sys

import numpy as np
import pytest

from geotools import process

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


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process holds")
def test_what_a_process_holds_is_told():
    """It grows by what is written to, and falls when that is given back."""
    before = process.resident_bytes()
    held = np.ones(64 * 2**20, np.uint8)
    between = process.resident_bytes()
    assert between - before > 60 * 2**20
    del held
    process.trim_memory()
    assert between - process.resident_bytes() > 60 * 2**20
