"""geotools.io.atomic."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from geotools.errors import FileError
from geotools.io.atomic import check_output, temporary_beside, write_atomic


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_output_appears_at_the_end(tmp_path):
    """Nothing is under the name until the block ends, then all of it, and nothing else."""
    target = tmp_path / "a.txt"
    with write_atomic(target) as part:
        part.write_text("new")
        assert part.parent == tmp_path
        assert part.suffix == ".txt"
        assert not target.exists()
        Path(f"{part}-journal").write_text("left by a driver")
    assert target.read_text() == "new"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_everything_as_it_was(tmp_path, error):
    """The old file stays, the new one goes, with what lay beside it."""
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail():
        with write_atomic(target, overwrite=True) as part:
            part.write_text("half")
            Path(f"{part}.aux.xml").write_text("left by a driver")
            raise error

    with pytest.raises(error):
        fail()
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_file_that_fails_its_check_is_not_kept(tmp_path):
    """What `verify` refuses never gets the name."""

    def refuse(part):
        raise FileError("broken")

    with (
        pytest.raises(FileError, match="broken"),
        write_atomic(tmp_path / "a", verify=refuse) as part,
    ):
        part.write_text("x")
    assert names(tmp_path) == []


def test_existing_file_needs_overwrite(tmp_path):
    """An output that exists, or appears meanwhile, is not replaced unasked."""
    target = tmp_path / "a.txt"

    def write_late():
        with write_atomic(target) as part:
            part.write_text("mine")
            target.write_text("somebody else's")

    with pytest.raises(FileError, match="meanwhile"):
        write_late()
    assert target.read_text() == "somebody else's"
    with pytest.raises(FileError, match="--overwrite"):
        check_output(target)
    assert check_output(target, overwrite=True) == target


def test_bad_places(tmp_path):
    """A missing folder, a folder as name, a NUL, a virtual path: one sentence each."""
    for path in (tmp_path / "no" / "a.tif", tmp_path, "a\0b.tif", "/vsimem/a.tif"):
        with pytest.raises(FileError):
            check_output(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_is_not_writable(tmp_path):
    """A read-only folder is refused before any work."""
    tmp_path.chmod(0o500)
    with pytest.raises(FileError, match="not writable"):
        check_output(tmp_path / "a.tif")


def test_the_disk_says_no(tmp_path):
    """Errors of the system become a FileError that names the target."""
    target = tmp_path / "a.txt"
    with pytest.raises(FileError, match=r"a\.txt could not be written"), write_atomic(target):
        raise OSError(28, "No space left on device")
    with pytest.raises(FileError, match="could not be written"), write_atomic(target):
        pass  # nothing was written, so there is nothing to rename


@pytest.mark.skipif(sys.platform != "linux", reason="states of processes are found in /proc")
def test_a_process_that_nobody_has_waited_for_is_dead(tmp_path):
    """In containers whose first process waits for none, killed ones stay known for ever."""
    target = tmp_path / "a.tif"
    own = temporary_beside(target)
    with subprocess.Popen(["true"]) as gone:
        while Path(f"/proc/{gone.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            time.sleep(0.01)
        dead = own.with_name(own.name.replace(f"-{os.getpid()}-", f"-{gone.pid}-"))
        dead.write_text("half")
        temporary_beside(target)
        assert not dead.exists()


def test_rests_of_a_killed_run_are_removed(tmp_path):
    """The next run that writes the same output clears what a dead process left, and that alone."""
    target = tmp_path / "a[1].tif"
    own = temporary_beside(target)
    gone = subprocess.Popen(["true"])
    gone.wait()
    dead = own.with_name(own.name.replace(f"-{os.getpid()}-", f"-{gone.pid}-"))
    journal = Path(f"{dead}-journal")
    elsewhere = dead.with_name(dead.name.replace("a[1]", "b"))
    other_host = dead.with_name(re.sub(r"[0-9a-f]{8}-", "00000000-", dead.name, count=1))
    rests = (own, dead, journal, elsewhere, other_host)
    for path in rests:
        path.write_text("half")
    with write_atomic(target) as part:
        part.write_text("new")
    assert [path.exists() for path in rests] == [True, False, False, True, True]
