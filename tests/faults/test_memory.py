"""Memory does not grow with the raster, and a limit is kept or refused."""

import sys

import pytest

from faults import memory

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="peaks are measured as Linux counts them"
)

MB = 2**20


def test_empty_parts_take_nothing(tmp_path):
    """16 times the cells, nearly all of them not in the file: the same memory."""
    model = memory.make_model(tmp_path)
    small, large = (
        memory.predict(
            tmp_path, model, memory.make_raster(tmp_path, side, blocks=3), "--tile", "512"
        )
        for side in (4_000, 16_000)
    )
    assert (small.code, large.code) == (0, 0), large.said
    assert large.peak < small.peak + 40 * MB


def test_a_limit_is_kept_or_refused(tmp_path):
    """Twelve bands within 512 MB; too little is one sentence that says what would do."""
    model = memory.make_model(tmp_path, bands=12)
    raster = memory.make_raster(tmp_path, 1_500, bands=12)
    found = memory.predict(tmp_path, model, raster, "--memory", "512M", "--probabilities")
    assert found.code == 0, found.said
    assert found.peak <= 512 * MB
    found = memory.predict(tmp_path, model, raster, "--memory", "150M")
    assert found.code == 1
    assert "allowed are 150 MB: raise --memory" in found.said


def test_a_limit_is_kept_by_a_wide_net(tmp_path):
    """4 kB for a cell: what its graph takes is measured, and the tiles are made to fit."""
    model = memory.make_model(tmp_path, radius=1, width=1024, tile=1024)
    raster = memory.make_raster(tmp_path, 1_024)
    found = memory.predict(tmp_path, model, raster, "--memory", "1G", "--threads", "2")
    assert found.code == 0, found.said
    assert found.peak <= 2**30
