"""geotools.compiled."""

import numpy as np

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

    monkeypatch.setattr(module, "njit", refuse)
    assert not module._can_keep()
