"""geotools.hashing: what was begun early is the SHA-256 of the file as it is later."""

import hashlib
import os
import threading

import pytest

from geotools import hashing
from geotools.hashing import begin_hashing, hash_file


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "dem.tif"
    path.write_bytes(os.urandom(3 << 20))
    return path


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("begun", [False, True])
def test_the_digest_of_a_file(file, begun):
    """Begun before or not."""
    if begun:
        begin_hashing(file)
    assert hash_file(file, threading.Event()) == sha256(file)


def test_work_that_was_begun_is_not_done_again(file, monkeypatch):
    """The thread's digest is taken, once."""
    begin_hashing(str(file))
    hashing._begun[file].join()
    with monkeypatch.context() as patch:
        patch.setattr(hashing, "_hash", None)
        assert hash_file(file, threading.Event()) == sha256(file)
    assert hash_file(file, threading.Event()) == sha256(file)


def test_a_file_that_was_written_to_since_is_hashed_again(file):
    """Size, time or file are others."""
    begin_hashing(file)
    hashing._begun[file].join()
    with file.open("ab") as stream:
        stream.write(b"more")
    assert hash_file(file, threading.Event()) == sha256(file)


@pytest.mark.parametrize("make", [lambda path: None, os.mkdir, os.mkfifo])
def test_what_is_no_file_is_left_alone(tmp_path, make):
    """Nothing there, a folder, a pipe: no thread, no error, no waiting."""
    path = tmp_path / "dem.tif"
    make(path)
    begin_hashing(path)
    begin_hashing("a\0b")
    assert path not in hashing._begun


def test_nobody_waits_for_what_is_not_wanted_any_more(file):
    """After an error the rest is not read."""
    stopped = threading.Event()
    stopped.set()
    begin_hashing(file)
    hash_file(file, stopped)
    assert file not in hashing._begun
