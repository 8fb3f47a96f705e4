"""geotools predict --shard and geotools merge: what they take, and how they tell of it."""

import json
import subprocess
import sys

import pytest
from conftest import make_terrain, write_tif
from onnx_bytes import neighbourhood_model

from geotools import cli


def run(capsys, *arguments):
    """Exit code, stdout and stderr of the command line, run in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["geotools", *map(str, arguments)])
        patch.setattr(cli, "_prepare", lambda: None)
        with pytest.raises(SystemExit) as ended:
            cli.main()
    out, err = capsys.readouterr()
    return ended.value.code, out, err


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A DEM and a model."""
    monkeypatch.chdir(tmp_path)
    write_tif(tmp_path / "dem.tif", make_terrain(150, 170))
    (tmp_path / "m.onnx").write_bytes(neighbourhood_model())
    return tmp_path


def test_shards_say_what_is_to_be_done_next(folder, capfd):
    """Each says its units; the merge says the outputs, and what is missing."""
    command = ["predict", "m.onnx", "dem.tif", "-o", "out.tif", "--tile", 64, "--unit", 64]
    code, out, _ = run(capfd, *command, "--shard", "1/2", "--job", "job")
    assert code == 0
    assert out.startswith("4 units of the job in job are done, 0 of them before; when all shards")
    code, _, err = run(capfd, "merge", "job")
    assert code == 1
    assert "3 units have no parts in" in err
    assert "job (columns 64 to 128" in err
    done = subprocess.run(
        [sys.executable, "-m", "geotools", *map(str, command), "--shard", "2/2", "--job", "job",
         "--progress", "json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    last = json.loads(done.stdout.splitlines()[-1])
    assert {key: last[key] for key in ("event", "job", "units", "found")} == {
        "event": "result", "job": "job", "units": 3, "found": 0,
    }  # fmt: skip
    code, out, _ = run(capfd, "merge", "job")
    assert code == 0
    assert "out.tif: by neighbourhood" in out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--shard", "1/2"], "give --job FOLDER"),
        (["--shard", "3/2", "--job", "job"], "--shard '3/2' is not understood"),
        (["--shard", "one", "--job", "job"], "--shard 'one' is not understood"),
        (["--workers", "2"], "--workers are processes"),
        (["--scheduler", "local", "--executor", "threads"], "leave --executor out"),
        (["--scheduler", "tcp://127.0.0.1:8786"], "--job FOLDER"),
    ],
)
def test_options_that_do_not_go_together(folder, capsys, options, sentence):
    """Before anything is read."""
    for command in (["predict", "m.onnx", "dem.tif"], ["landforms", "dem.tif"]):
        code, _, err = run(capsys, *command, "-o", "out.tif", *options)
        assert code == 2
        assert sentence in " ".join(err.split())


def test_geomorphons_have_no_units(folder, capsys):
    """They are faster than what would survive."""
    code, _, err = run(
        capsys, "landforms", "dem.tif", "-o", "out.tif", "--method", "geomorphons",
        "--executor", "processes",
    )  # fmt: skip
    assert code == 1
    assert "have no units" in err
