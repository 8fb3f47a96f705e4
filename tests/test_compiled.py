"""geotools.compiled."""

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from geotools import compiled as module


def test_loops_are_compiled_and_run():
    """The decorator gives a loop in machine code, with numba's options."""

    @module.compiled(error_model="numpy")
    def ratio(a, b):
        return a / b

    assert np.isinf(ratio(1.0, 0.0))
    assert ratio.signatures


def test_a_machine_without_a_place_for_the_cache(monkeypatch):
    """Where numba finds no folder to write to, loops are compiled anew instead of failing."""

    def refuse(**options):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr("numba.njit", refuse)
    assert not module._can_keep.__wrapped__()


LOOPS = """
import math
from geotools.compiled import compiled

@compiled(error_model="numpy")
def _third(x):
    return math.atan2(x, 3.0) / 3

@compiled(error_model="numpy")
def fill(values, start, factor, offset):
    for i in range(start, values.shape[0]):
        values[i] = _third(values[i]) * factor + offset

@compiled()
def divide(values, by):
    values[0] = values[0] // by

@compiled()
def allocate(values, count):
    values[0] = len([float(i) for i in range(count)])
"""

CALL = """
import sys
import numpy as np
from geotools.compiled import KeptLoop, _Native

loop = KeptLoop("loops._sums", "fill")
values = np.arange(5.0)
loop(values, 1, 2.0, np.float32(0.5))
kind = type(*loop.variants.values())
print(*values, kind is _Native, "numba" in sys.modules)
"""


@pytest.fixture
def run_loop(tmp_path):
    """Write LOOPS to a package, run CALL in a fresh process; what it printed."""
    (tmp_path / "loops").mkdir()
    (tmp_path / "loops" / "_sums.py").write_text(LOOPS)

    def run():
        environment = {**os.environ, "PYTHONPATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", CALL], env=environment, capture_output=True, text=True,
            check=True, cwd=Path(module.__file__).parents[1],
        )  # fmt: skip
        *values, native, numba = done.stdout.split()
        expected = [0.0, *(math.atan2(i, 3) / 3 * 2 + 0.5 for i in range(1, 5))]
        assert np.allclose([float(value) for value in values], expected, rtol=1e-15)
        return native == "True", numba == "True"

    return run


linux = pytest.mark.skipif(sys.platform != "linux", reason="code is kept on Linux alone")


@linux
def test_a_second_process_runs_kept_code_without_numba(run_loop):
    assert run_loop() == (True, True)
    assert run_loop() == (True, False)


@linux
def test_changed_sources_and_damaged_files_are_compiled_anew(run_loop, tmp_path):
    run_loop()
    (kept,) = (tmp_path / "loops" / "__pycache__").glob("*.loop")
    whole = kept.read_bytes()
    for damaged in (b"", whole[:-1], whole[:40], whole.replace(b" atan2", b" atam2"), b"\xff\n"):
        kept.write_bytes(damaged)
        assert run_loop() == (True, True)
        assert kept.read_bytes() == whole
    (tmp_path / "loops" / "_other.py").write_text("a = 1")
    assert run_loop() == (True, True)


@linux
def test_code_goes_to_the_cache_where_it_cannot_lie_beside_the_module(run_loop, tmp_path):
    run_loop()
    (kept,) = (tmp_path / "loops" / "__pycache__").glob("*.loop")
    kept.unlink()
    kept.mkdir()
    assert run_loop() == (True, True)
    assert run_loop() == (True, False)
    assert [file.name for file in (tmp_path / "geotools").iterdir()] == [kept.name]


@pytest.fixture
def loops(tmp_path, monkeypatch):
    """A loop of LOOPS by its name."""
    (tmp_path / "loops_here").mkdir()
    (tmp_path / "loops_here" / "_sums.py").write_text(LOOPS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    yield lambda name: module.KeptLoop("loops_here._sums", name)
    for name in ("loops_here._sums", "loops_here"):
        sys.modules.pop(name, None)


def test_a_loop_that_allocates_runs_by_numba(loops, tmp_path):
    values = np.zeros(1)
    loops("allocate")(values, 7)
    assert values[0] == 7
    assert not list(tmp_path.rglob("*.loop"))


def test_an_llvmlite_that_is_other_runs_by_numba(loops, tmp_path, monkeypatch):
    monkeypatch.delattr("llvmlite.binding.create_new_module_pass_manager")
    values = np.arange(3.0)
    loops("fill")(values, 0, 3.0, np.float32(0))
    assert values[2] == pytest.approx(math.atan2(2, 3))
    assert not list(tmp_path.rglob("*.loop"))


def test_arrays_that_kept_code_cannot_take_run_by_numba(loops):
    loop = loops("fill")
    values = np.arange(10.0)
    loop(values[::2], 0, 3.0, np.float32(0))
    assert values[2] == pytest.approx(math.atan2(2, 3))
    assert values[1] == 1


def test_an_error_in_a_loop_is_not_lost(loops):
    with pytest.raises((RuntimeError, ZeroDivisionError)):
        loops("divide")(np.ones(1), 0)
