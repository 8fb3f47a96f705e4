"""geotools.engine: units, parts and mosaic give what one pass gives, also after a kill."""

import json
import os
import signal
import subprocess
import sys
import time
import zlib
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
from conftest import make_grid, make_raster, make_terrain

from geotools.engine.execute import Shard
from geotools.engine.folder import JobFolder
from geotools.engine.job import Record
from geotools.engine.manifest import Manifest, read_manifests
from geotools.engine.mosaic import write_mosaic
from geotools.engine.run import Running, run_job, run_shard
from geotools.errors import FileError, GeotoolsError, PartialError, Terminated
from geotools.grid import TileScheme
from geotools.io.parts import find_parts
from geotools.raster import Layer


class Smooth:
    """A work whose cells are sums of their surroundings, where they are valid."""

    layers = (
        Layer("sums", ("low", "high"), "float32", float("nan")),
        Layer("signs", ("sign",), "uint8", 0),
    )
    stage = "smoothing"

    def __init__(self, source, tile=50, fail_at=None):
        self.source, self.grid = source, source.grid
        self.tiling = TileScheme(tile, margin=2)
        self.done = 0
        self.fail_at = fail_at

    def placed(self, window):
        return window

    def tile(self, tile):
        if self.done == self.fail_at:
            raise GeotoolsError("The model refuses.")
        self.done += 1
        block = self.source.read(tile.read)
        if not block.valid[tile.inner].any():
            return None
        z = block.filled()[0]
        total = sum(np.roll(z, n, 0) + np.roll(z, n, 1) for n in (-2, -1, 1, 2))[tile.inner]
        bands = np.stack([total, total * 2])
        return bands, (np.nan_to_num(total, nan=-1) > 0).astype(np.uint8)[None]


class SmoothTask:
    """Its task."""

    def __init__(self, source, word="a"):
        self.source, self.word = source, word

    def identity(self):
        return {"word": self.word}

    @contextmanager
    def open(self):
        yield Smooth(self.source)


class Memory:
    """A sink in memory."""

    def __init__(self, layer, shape):
        self.data = layer.empty(shape)

    def write(self, data, window):
        self.data[:, *window.slices()] = data


@pytest.fixture
def source():
    elevation = make_terrain(230, 310)
    valid = np.random.default_rng(1).random((230, 310)) > 0.02
    valid[100:, 150:] = False
    return make_raster(elevation, make_grid(310, 230), valid)


def run(source, tmp_path, work=None, *, threads=1, word="a", **running):
    """(layers as arrays, sentences)."""
    said = []
    with ExitStack() as stack:
        parts, _ = run_job(
            SmoothTask(source, word), work or Smooth(source), tmp_path / "out.tif",
            running=Running(**running), threads=threads, stack=stack, warn=said.append,
        )  # fmt: skip
        sinks = [Memory(part.layer, source.grid.shape) for part in parts]
        for part, sink in zip(parts, sinks, strict=True):
            write_mosaic(part, sink, threads=2)
    return [sink.data for sink in sinks], said


@pytest.mark.parametrize("executor", ["serial", "threads"])
@pytest.mark.parametrize("unit_cells", [64, 100, 2048])
def test_units_do_not_change_the_answer(source, tmp_path, executor, unit_cells):
    """Any executor, number of threads and size of units; nothing is left beside the output."""
    whole, _ = run(source, tmp_path, Smooth(source, tile=1000), executor="serial")
    for threads in (1, 3):
        found, said = run(
            source, tmp_path, threads=threads, executor=executor, unit_cells=unit_cells
        )
        for one, other in zip(found, whole, strict=True):
            np.testing.assert_array_equal(one, other)
        assert said == []
    assert os.listdir(tmp_path) == []


def test_parts_have_the_same_bytes_whoever_made_them(source, tmp_path):
    """Names hold the CRC of the bytes, so equal names are equal bytes."""
    names = []
    for number, (executor, threads) in enumerate((("serial", 1), ("threads", 3))):
        folder = tmp_path / str(number)
        run_shard(
            SmoothTask(source), Smooth(source), tmp_path / "out.tif", Shard(1, 1), threads=threads,
            running=Running(executor=executor, folder=folder, unit_cells=100),
        )  # fmt: skip
        names.append(sorted(name for name in os.listdir(folder) if name.endswith(".tif")))
    assert names[0] == names[1]
    assert len(names[0]) > 10


def test_what_is_done_is_not_done_again(source, tmp_path):
    """A named folder stays after an error; torn parts are made anew, whole ones are not."""
    folder = tmp_path / "job"
    with pytest.raises(GeotoolsError, match="refuses"):
        run(source, tmp_path, Smooth(source, fail_at=20), folder=folder, unit_cells=100)
    parts = sorted(folder.glob("*.tif"))
    assert parts
    torn = parts[0]
    torn.write_bytes(torn.read_bytes()[:-1])
    (folder / "9-9.0.writing").write_bytes(b"half")
    work = Smooth(source)
    found, said = run(source, tmp_path, work, folder=folder, unit_cells=100)
    whole, _ = run(source, tmp_path)
    for one, other in zip(found, whole, strict=True):
        np.testing.assert_array_equal(one, other)
    everything = Smooth(source)
    run(source, tmp_path, everything)
    assert 0 < work.done < everything.done
    assert "Going on from an earlier run" in said[0]
    assert not folder.exists()


def test_an_error_leaves_nothing(source, tmp_path):
    with pytest.raises(GeotoolsError, match="refuses"):
        run(source, tmp_path, Smooth(source, fail_at=20), unit_cells=100)
    assert os.listdir(tmp_path) == []


def test_another_job_does_not_take_the_parts(source, tmp_path):
    """Of a named folder it says so; hidden ones of dead runs are removed."""
    folder = tmp_path / "job"
    with pytest.raises(GeotoolsError, match="refuses"):
        run(source, tmp_path, Smooth(source, fail_at=20), folder=folder, unit_cells=100)
    with pytest.raises(FileError, match="holds another job"):
        run(source, tmp_path, folder=folder, unit_cells=100, word="b")
    with pytest.raises(FileError, match="holds another job"):
        run(source, tmp_path, folder=folder, unit_cells=128)
    stale = tmp_path / ".out.tif.0123456789ab.parts"
    stale.mkdir()
    (stale / "job.json").write_text(json.dumps({"id": "0123456789ab"}))
    run(source, tmp_path)
    assert not stale.exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("mine")
    with pytest.raises(FileError, match="holds other files"):
        run(source, tmp_path, folder=tmp_path / "other")
    assert (tmp_path / "other" / "letter.txt").exists()


def test_two_runs_on_one_output_do_not_meet(source, tmp_path):
    """The second is told; the first is not disturbed."""
    with (
        JobFolder(tmp_path / "out.tif", "a" * 32),
        pytest.raises(FileError, match="Another run is at work"),
    ):
        JobFolder(tmp_path / "out.tif", "a" * 32)


def test_shards_together_are_the_whole(source, tmp_path):
    """Three runs of a third each; without one of them the mosaic names what is missing."""
    folder = tmp_path / "job"
    options = {"running": Running(folder=folder, unit_cells=100), "threads": 1}
    for number in (3, 1):
        run_shard(
            SmoothTask(source), Smooth(source), tmp_path / "out.tif", Shard(number, 3), **options
        )
    from geotools.engine.mosaic import open_parts

    with pytest.raises(FileError, match=r"units have no parts in .*columns"):
        open_parts(folder, Smooth(source), 100)
    outcome = run_shard(
        SmoothTask(source), Smooth(source), tmp_path / "out.tif", Shard(2, 3), **options
    )
    assert outcome.found == 0
    work = Smooth(source)
    found, _ = run(source, tmp_path, work, folder=folder, unit_cells=100)
    whole, _ = run(source, tmp_path)
    assert work.done == 0
    for one, other in zip(found, whole, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_torn_manifest_is_read_as_far_as_it_goes(tmp_path):
    """The line that a crash has cut is left out, and the next is not glued to it."""
    with Manifest(tmp_path) as manifest:
        manifest.add(Record("0-0", "done", 4))
        manifest.add(Record("0-1", "empty", 4))
    path = tmp_path / "units.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    with Manifest(tmp_path) as manifest:
        manifest.add(Record("0-2", "failed", 4, reason="is too large"))
    assert {name: one.state for name, one in read_manifests(tmp_path).items()} == {
        "0-0": "done", "0-2": "failed",
    }  # fmt: skip


_KILLED = """
import sys
sys.path[:0] = {path!r}
import numpy as np
from test_run import Smooth, SmoothTask, run, make_raster, make_grid, make_terrain
from pathlib import Path
import time

class Slow(Smooth):
    def tile(self, tile):
        time.sleep(0.02)
        return super().tile(tile)

source = make_raster(make_terrain(230, 310), make_grid(310, 230))
run(source, Path({folder!r}), Slow(source), unit_cells=100, threads=2)
"""


def test_a_killed_run_is_gone_on_from(tmp_path):
    """SIGKILL in the middle leaves a hidden folder; the next run does the rest and removes it."""
    here = [os.path.dirname(__file__), os.path.dirname(os.path.dirname(__file__)), *sys.path]
    code = _KILLED.format(path=here, folder=str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".out.tif.*.parts/*.tif")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (folder,) = tmp_path.glob(".out.tif.*.parts")
    assert find_parts(folder, 2) or list(folder.glob("*.tif"))
    source = make_raster(make_terrain(230, 310), make_grid(310, 230))
    work, everything = Smooth(source), Smooth(source)
    found, _ = run(source, tmp_path, work, unit_cells=100)
    whole, _ = run(source, tmp_path, everything)
    for one, other in zip(found, whole, strict=True):
        np.testing.assert_array_equal(one, other)
    assert os.listdir(tmp_path) == []


def test_what_is_known_to_be_empty_is_not_computed(tmp_path):
    """Units where the source knows of no cell are told as done, and none of them is read."""
    source = make_raster(make_terrain(230, 310), make_grid(310, 230))

    class Sparse:
        grid, bands = source.grid, source.bands
        read = source.read

        def is_absent(self, window):
            return window.col_off >= 150

    work, everything = Smooth(Sparse()), Smooth(source)
    found, _ = run(source, tmp_path, work, unit_cells=64)
    whole, _ = run(source, tmp_path, everything, unit_cells=64)
    assert work.done * 2 < everything.done
    assert np.array_equal(found[1][..., :150], whole[1][..., :150])
    assert not found[1][..., 150:].any()


def test_what_the_user_puts_into_a_folder_stays(source, tmp_path):
    """A log that a scheduler writes there, and the output itself."""
    folder = tmp_path / "job"
    folder.mkdir()
    with ExitStack() as stack:
        run_job(
            SmoothTask(source), Smooth(source), folder / "out.tif",
            running=Running(folder=folder, unit_cells=100), threads=1, stack=stack,
        )  # fmt: skip
        (folder / "slurm-1.log").write_text("mine")
        (folder / "out.tif").write_text("the map")
    assert sorted(os.listdir(folder)) == ["out.tif", "slurm-1.log"]


def test_only_folders_of_dead_jobs_are_removed(source, tmp_path):
    """Not those of other outputs, not what is no job's, and what cannot be looked at stays."""
    ours = tmp_path / ".out.tif.0123456789ab.parts"
    others = [
        tmp_path / ".out.tif.x.tif.0123456789ab.parts",
        tmp_path / ".out.tif.mine.parts",
        tmp_path / ".out.tif.ba9876543210.parts",
    ]
    for folder in (ours, *others):
        folder.mkdir()
        (folder / "job.json").write_text(json.dumps({"id": "0123"}))
    (others[2] / "job.json").write_text("[]")
    locked = tmp_path / ".out.tif.aaaaaaaaaaaa.parts"
    (locked / "lock").mkdir(parents=True)
    (locked / "job.json").write_text(json.dumps({"id": "0123"}))
    _, said = run(source, tmp_path)
    assert not ours.exists()
    assert all(folder.exists() for folder in (*others, locked))
    assert "was removed (1 unfinished)" in said[0]


def test_a_polite_kill_keeps_what_is_done(source, tmp_path):
    """Unlike Ctrl-C, after which nothing is left."""
    for error, left in ((Terminated, 1), (KeyboardInterrupt, 0)):
        work = Smooth(source)
        compute = work.tile

        def tile(one, work=work, compute=compute, error=error):
            if work.done == 20:
                raise error
            return compute(one)

        work.tile = tile
        with pytest.raises(error):
            run(source, tmp_path, work, executor="serial", unit_cells=100)
        assert len(list(tmp_path.glob(".out.tif.*.parts"))) == left
        if left:
            rest = Smooth(source)
            _, said = run(source, tmp_path, rest, executor="serial", unit_cells=100)
            assert "Going on from an earlier run" in said[0]
            assert 0 < rest.done < 35


@pytest.mark.parametrize("executor", ["serial", "threads"])
def test_a_block_that_cannot_be_read_fails_alone(source, tmp_path, executor):
    """Its unit is named, all others are kept; where nothing can be read, that is the error."""
    work = Smooth(source)
    compute = work.tile

    def tile(one):
        if one.write.row_off == 50 and one.write.col_off == 0:
            raise FileError("dem.tif cannot be read here: it is damaged.")
        return compute(one)

    work.tile = tile
    with pytest.raises(PartialError, match=r"1 of \d+ units failed \(columns 0 to .*damaged"):
        run(source, tmp_path, work, executor=executor, unit_cells=100)
    rest = Smooth(source)
    found, _ = run(source, tmp_path, rest, executor=executor, unit_cells=100)
    whole, _ = run(source, tmp_path)
    for one, other in zip(found, whole, strict=True):
        np.testing.assert_array_equal(one, other)
    assert 0 < rest.done <= 4

    def nothing(one):
        raise FileError("dem.tif cannot be read: it is gone.")

    work.tile = nothing
    with pytest.raises(FileError, match="it is gone"):
        run(source, tmp_path, work, executor=executor, unit_cells=100)
    assert os.listdir(tmp_path) == []


def test_layers_of_two_attempts_are_not_mixed(source, tmp_path):
    """A part that is there twice with other bytes is no part: its unit is done again."""
    folder = tmp_path / "job"
    options = {"running": Running(folder=folder, unit_cells=100), "threads": 1}
    run_shard(SmoothTask(source), Smooth(source), tmp_path / "out.tif", Shard(1, 1), **options)
    parts = sorted(folder.glob("0-0.1.*.tif"))
    other = folder / f"0-0.1.{zlib.crc32(b'other'):08x}.tif"
    other.write_bytes(b"other")
    assert "0-0" not in find_parts(folder, 2)
    work = Smooth(source)
    run(source, tmp_path, work, folder=folder, unit_cells=100)
    assert work.done == 4
    assert len(parts) == 1
