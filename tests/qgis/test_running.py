"""geotools_qgis.engine.process: runs that are stopped, engines that are not as they should be."""

import os
import signal
import stat
import sys
from pathlib import Path

import pytest

pytest.importorskip("qgis.core", reason="no QGIS in this Python: see tests/qgis/pytest.ini")

from geotools_qgis.engine.discovery import Engine, EngineError
from geotools_qgis.engine.process import Cancelled
from geotools_qgis.engine.process import run as start
from qgis.core import QgsProcessingException, QgsProcessingFeedback
from sample_layers import hills, write_tif


class Listener:
    """Keeps what is told; says stop when it was told of progress."""

    def __init__(self, *, stop: bool = False):
        self.told, self.stop = [], stop

    def info(self, text):
        self.told.append(("info", text))

    def warning(self, text):
        self.told.append(("warning", text))

    def line(self, text):
        self.told.append(("line", text))

    def stage(self, text):
        self.told.append(("stage", text))

    def progress(self, percent):
        self.told.append(("progress", percent))

    def is_cancelled(self):
        return self.stop and any(kind == "progress" for kind, _ in self.told)


def script(folder, text) -> Engine:
    """An engine that is a script of Python."""
    path = folder / "engine"
    path.write_text(f"#!{sys.executable}\nimport json, os, signal, sys, time\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return Engine((str(path),), "a test")


class CancelledAtProgress(QgsProcessingFeedback):
    """Somebody who presses Cancel as soon as something moves."""

    def __init__(self):
        super().__init__(False)

    def setProgressText(self, text):
        self.cancel()


class KilledWhenItWrites(QgsProcessingFeedback):
    """The system kills the engine, which has begun to write."""

    def __init__(self, folder):
        super().__init__(False)
        self.folder = folder

    def isCanceled(self):
        if len([one for one in self.folder.iterdir() if one.name.startswith(".out")]) > 1:
            for one in Path("/proc").glob("[0-9]*/cmdline"):
                words = read(one).split(b"\0")
                if b"--stop-on-eof" in words and str(self.folder / "out.tif").encode() in words:
                    os.kill(int(one.parent.name), signal.SIGKILL)
        return False


def read(path):
    try:
        return path.read_bytes()
    except OSError:  # it has ended
        return b""


def test_cancel_leaves_nothing(run, folder):
    """The engine ends when it is asked to, and no file of it is left."""
    path = write_tif(folder / "large.tif", hills(1500, 1500))
    with pytest.raises(QgsProcessingException, match="Cancelled"):
        run("landforms", {
            "INPUT": str(path), "METHOD": "geomorphons", "SEARCH": 60, "TILE": 64, "THREADS": 1,
            "OUTPUT": str(folder / "out.tif"), "POLYGONS": str(folder / "out.gpkg"),
        }, feedback=CancelledAtProgress())  # fmt: skip
    assert [one.name for one in folder.iterdir() if not one.name.endswith(".aux.xml")] == [
        "large.tif"
    ]


@pytest.mark.parametrize("method", ["geomorphons", "model"])
def test_an_engine_that_is_killed_leaves_nothing(run, folder, method):
    """Nor does one that could not clear up: no part of a file, no folder of a job, one sentence."""
    path = write_tif(folder / "large.tif", hills(1500, 1500))
    of_others = folder / ".out.tif.0123456789ab.parts"
    of_others.mkdir()
    options = {"SEARCH": 60} if method == "geomorphons" else {}
    with pytest.raises(QgsProcessingException, match="The engine crashed") as caught:
        run("landforms", {
            "INPUT": str(path), "METHOD": method, "TILE": 64, "THREADS": 1,
            "OUTPUT": str(folder / "out.tif"), **options,
        }, feedback=KilledWhenItWrites(folder))  # fmt: skip
    assert "\n" not in str(caught.value)
    assert sorted(one.name for one in folder.iterdir() if "large" not in one.name) == [
        of_others.name
    ]


def test_an_engine_that_does_not_listen_is_killed(folder):
    """One that ignores the end of its input is gone after the grace all the same."""
    engine = script(folder, (
        f"open({str(folder / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(json.dumps({'schema': 1, 'event': 'progress', 'stage': 'a', 'done': 1, 'total': 2}),"
        " flush=True)\n"
        "time.sleep(600)\n"
    ))  # fmt: skip
    with pytest.raises(Cancelled):
        run_engine(engine, Listener(stop=True))
    with pytest.raises(ProcessLookupError):
        os.kill(int((folder / "pid").read_text()), 0)


def run_engine(engine, listener):
    return start(engine, ["info"], listener, environment=dict(os.environ))


def test_messages_are_told_and_the_rest_is_the_log(folder):
    """Events go where they belong; other lines of both streams are lines of the log."""
    engine = script(folder, (
        "def tell(**one): print(json.dumps({'schema': 1, **one}), flush=True)\n"
        "assert '--stop-on-eof' in sys.argv\n"
        "print('chatty library')\n"
        "print('on the other stream', file=sys.stderr)\n"
        "tell(event='info', message='Höhe')\n"
        "tell(event='warning', message='careful')\n"
        "tell(event='progress', stage='map', done=1, total=4)\n"
        "tell(event='unheard of', message='x')\n"
        "tell(event='result', message='done', outputs=[])\n"
    ))  # fmt: skip
    listener = Listener()
    outcome = run_engine(engine, listener)
    assert outcome.result["message"] == "done"
    assert outcome.warnings == ["careful"]
    assert set(listener.told) >= {
        ("info", "Höhe"), ("warning", "careful"), ("stage", "map"), ("progress", 25.0),
        ("line", "chatty library"), ("line", "on the other stream"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "The engine crashed"),
        ("print('Error: no such thing', file=sys.stderr); sys.exit(2)", "^no such thing$"),
        ("sys.exit('No module named geotools')", "has no geotools: install it there"),
        ("sys.exit('Error: No such option: --stop-on-eof')", "older than this plugin: update it"),
        ("print(json.dumps({'schema': 2, 'event': 'info', 'message': ''}), flush=True); "
         "time.sleep(600)", "speaks form 2 .* update the plugin"),
        ("print(json.dumps({'schema': 1, 'event': 'error', 'message': 'No DEM.'})); sys.exit(1)",
         r"^No DEM\.$"),
        ("print(json.dumps({'schema': 1, 'event': 'error', 'message': '2 units failed.'})); "
         "sys.exit(3)", r"^2 units failed\.$"),
        ("", "ended with code 0 .it said nothing."),
    ],
)  # fmt: skip
def test_engines_that_fail_are_one_sentence(folder, text, sentence):
    """A crash, a wrong Python, an old one, a newer one, a refusal, work left to do, silence."""
    with pytest.raises(EngineError, match=sentence) as caught:
        run_engine(script(folder, text), Listener())
    assert "\n" not in str(caught.value)


def test_an_engine_that_cannot_be_started(folder):
    """A file that is no program is told of, with what to do."""
    path = folder / "python"
    path.write_text("no program")
    with pytest.raises(EngineError, match=r"cannot be started .* choose another Python"):
        run_engine(Engine((str(path),), "a test"), Listener())


def test_an_environment_that_would_break_the_engine_does_not(run, monkeypatch, folder, dem):
    """Paths of another Python, GDAL and PROJ in QGIS's environment are not passed on."""
    for name in ("PYTHONPATH", "PROJ_LIB", "PROJ_DATA", "GDAL_DATA", "GDAL_DRIVER_PATH"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setenv("PYTHONHOME", str(folder))
    made, _ = run("terrain", {"INPUT": str(dem), "OUTPUT": str(folder / "out.tif")})
    assert os.path.exists(made["OUTPUT"])


def test_the_doctor_says_what_runs(run, engine, folder):
    """Version, interpreter and findings as outputs, a page and lines of the log."""
    made, log = run("doctor", {"OUTPUT": str(folder / "doctor.html")})
    assert made["OK"] == 1
    assert os.path.samefile(made["PYTHON"], engine)
    assert made["VERSION"]
    assert "writing" in log
    assert "writing" in (folder / "doctor.html").read_text(encoding="utf-8")


def test_a_wrong_interpreter_is_told_where_it_was_named(run, monkeypatch, folder, dem):
    """The sentence names the variable."""
    monkeypatch.setenv("GEOTOOLS_PYTHON", str(folder / "nowhere"))
    with pytest.raises(QgsProcessingException, match="GEOTOOLS_PYTHON, does not exist"):
        run("terrain", {"INPUT": str(dem), "OUTPUT": str(folder / "out.tif")})
