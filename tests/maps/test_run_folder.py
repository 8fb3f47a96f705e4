"""The folder of a training in all its states."""

import errno
import json
from pathlib import Path

import pytest

from geotools.errors import FileError
from geotools.maps.run_folder import OUTPUTS, RunFolder

WORK = ".unfinished"


def stopped(path: Path, digest: str = "one", *, checkpoint: bool = True) -> None:
    """A folder as a killed run leaves it."""
    (path / WORK).mkdir(parents=True)
    (path / WORK / "state.json").write_text(json.dumps({"digest": digest}))
    (path / WORK / "lock").touch()
    if checkpoint:
        (path / WORK / "unet-1.pt").write_text("state")


def names(path: Path) -> set[str]:
    return {item.name for item in path.iterdir()}


def test_outputs_get_their_names_together_at_the_end(tmp_path):
    """Figures last, and nothing else stays."""
    with RunFolder(tmp_path / "run", "one", overwrite=False) as run:
        assert not run.resumed
        for name in ("model.onnx", "evaluation.json", "card.md"):
            (run.work / name).write_text(name)
        (run.work / "unet-1.pt").write_text("state")
        assert names(run.path) == {WORK}
        paths = run.finish()
    assert [path.name for path in paths] == ["model.onnx", "card.md", "evaluation.json"]
    assert names(tmp_path / "run") == {"model.onnx", "card.md", "evaluation.json"}
    assert OUTPUTS[-1] == "evaluation.json"


def test_what_fails_before_it_learns_leaves_nothing(tmp_path):
    """A corrected configuration can be run at once."""
    empty = tmp_path / "empty"
    empty.mkdir()
    for path in (tmp_path / "new", empty):
        with (
            pytest.raises(RuntimeError, match="labels"),
            RunFolder(path, "one", overwrite=False),
        ):
            raise RuntimeError("no labels")
    assert names(tmp_path) == {"empty"}
    assert not names(empty)


def test_what_was_learned_stays_when_it_fails(tmp_path):
    def fail() -> None:
        with RunFolder(tmp_path / "run", "one", overwrite=False) as run:
            (run.work / "unet-1.pt").write_text("state")
            raise RuntimeError("later")

    with pytest.raises(RuntimeError, match="later"):
        fail()
    with RunFolder(tmp_path / "run", "one", overwrite=False) as again:
        assert again.resumed
        assert (again.work / "unet-1.pt").exists()


def test_a_stopped_training_of_another_configuration_is_kept(tmp_path):
    """Unless it may be discarded."""
    stopped(tmp_path / "run")
    with pytest.raises(FileError, match=r"unfinished training of another configuration.*overwrite"):
        RunFolder(tmp_path / "run", "two", overwrite=False)
    assert (tmp_path / "run" / WORK / "unet-1.pt").exists()
    with RunFolder(tmp_path / "run", "two", overwrite=True) as run:
        assert not run.resumed
        assert names(run.work) == {"lock", "state.json"}


def test_a_run_that_was_killed_while_it_read_gives_way(tmp_path):
    """There is nothing to go on from."""
    stopped(tmp_path / "run", checkpoint=False)
    (tmp_path / "run" / WORK / "model.onnx").write_text("half")
    with RunFolder(tmp_path / "run", "two", overwrite=False) as run:
        assert not run.resumed
        assert names(run.work) == {"lock", "state.json"}


def test_a_damaged_state_is_begun_anew(tmp_path):
    stopped(tmp_path / "run")
    (tmp_path / "run" / WORK / "state.json").write_text("{")
    with RunFolder(tmp_path / "run", "one", overwrite=False) as run:
        assert not run.resumed
        assert names(run.work) == {"lock", "state.json"}


def test_a_finished_training_is_replaced_only_when_asked(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    for name in ("model.onnx", "weights.pt", "evaluation.json", "my_map.tif"):
        (run / name).write_text("old")
    with pytest.raises(FileError, match=r"finished training: give --overwrite"):
        RunFolder(run, "one", overwrite=False)
    with RunFolder(run, "one", overwrite=True) as folder:
        for name in ("model.onnx", "evaluation.json"):
            (folder.work / name).write_text("new")
        assert (run / "model.onnx").read_text() == "old"
        folder.finish()
    assert names(run) == {"model.onnx", "evaluation.json", "my_map.tif"}
    assert (run / "model.onnx").read_text() == "new"


def test_a_finished_training_of_another_configuration_is_called_so(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "evaluation.json").write_text('{"name": "ice", "configuration": "one"}')
    with pytest.raises(FileError, match=r"finished training of another configuration \(ice\): "):
        RunFolder(run, "two", overwrite=False)
    with pytest.raises(FileError, match=r"finished training: give --overwrite"):
        RunFolder(run, "one", overwrite=False)


def test_folders_above_are_made_and_go_with_a_run_that_failed(tmp_path):
    (tmp_path / "mine").mkdir()

    def fail() -> None:
        with RunFolder(tmp_path / "mine/a/b", "one", overwrite=False):
            assert (tmp_path / "mine/a/b").is_dir()
            raise RuntimeError("early")

    with pytest.raises(RuntimeError, match="early"):
        fail()
    assert names(tmp_path / "mine") == set()
    with pytest.raises(FileError, match="File name too long"):
        RunFolder(tmp_path / "mine" / "a" / ("b" * 300), "one", overwrite=False)
    assert names(tmp_path / "mine") == set()
    with RunFolder(tmp_path / "mine/a/b", "one", overwrite=False) as run:
        (run.work / "model.onnx").write_text("x")
        run.finish()
    assert names(tmp_path / "mine/a/b") == {"model.onnx"}


def test_other_peoples_files_are_left_alone(tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("x")
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.onnx").write_text("x")
    (tmp_path / "file").write_text("x")
    for path, words in {
        other: "holds other files, such as mine.txt",
        model: "holds model.onnx: give --overwrite",
        tmp_path / "file": "is a file",
        tmp_path / "file" / "no" / "run": "file is a file: name a folder",
        tmp_path / ("a" * 300): "File name too long",
        tmp_path / "a\0b": "cannot be used",
        Path("/proc/run"): "name another" if Path("/proc").is_dir() else "does not exist",
    }.items():
        with pytest.raises(FileError, match=words) as raised:
            RunFolder(path, "one", overwrite=False)
        assert len(str(raised.value)) < 400
    assert names(other) == {"mine.txt"}
    assert names(model) == {"model.onnx"}


def test_two_runs_do_not_share_a_folder(tmp_path):
    """The second says so, and harms nothing; the folder is free when the first is done."""
    pytest.importorskip("fcntl")
    with RunFolder(tmp_path / "run", "one", overwrite=False) as first:
        for overwrite in (False, True):
            with pytest.raises(FileError, match="Another run is at work in"):
                RunFolder(tmp_path / "run", "two", overwrite=overwrite)
        assert names(first.work) == {"lock", "state.json"}
    with RunFolder(tmp_path / "run", "two", overwrite=False):
        pass


def test_a_full_disk_at_the_end_loses_nothing(tmp_path, monkeypatch):
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with RunFolder(tmp_path / "run", "one", overwrite=False) as run:
        (run.work / "model.onnx").write_text("x")
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", refuse)
            with pytest.raises(FileError, match=r"No space left on device.*same command again"):
                run.finish()
        assert (run.work / "model.onnx").exists()
