"""The environment that the plugin makes when it is asked to: a virtual one in the home folder.

It counts when a marker says that everything was installed; anything else is removed.
"""

import os
import shutil
import sys
from urllib.parse import quote

from qgis.PyQt.QtCore import QProcess, QProcessEnvironment

from .discovery import MARKER, EngineError, interpreter_in
from .environment import clean_environment
from .messages import LineSplitter
from .process import Cancelled

__all__ = ["EXTRAS", "create", "find_python", "install_words", "proxy_of"]

EXTRAS = {
    "maps and forecasts": "geotools-ml",
    "trainings too": "geotools-ml[train]",
}
"""What can be installed, by its name in the dialog."""

_NEEDED = (3, 11)
_FREE_BYTES = 3 * 10**9
"""Of the extra for trainings with PyTorch's CPU build, unpacked, with pip's own copies."""
_WAIT_MS = 200
_PROBE = "import sys, venv, ensurepip; print(*sys.version_info[:2])"


def find_python(environment=None):
    """An interpreter of this machine that can be the engine's, never QGIS's own.

    Raises:
        EngineError: there is none.
    """
    variables = clean_environment(environment)
    names = [f"python3.{minor}" for minor in (13, 12, 11)] + ["python3", "python"]
    seen = set()
    for name in names:
        path = shutil.which(name, path=variables.get("PATH"))
        if path is None or path in seen:
            continue
        seen.add(path)
        told = _output(path, ["-c", _PROBE], variables).split()
        if len(told) == 2 and tuple(map(int, told)) >= _NEEDED:
            return path
    raise EngineError(
        "No Python 3.11 or later with the module venv was found on the path: install one (from "
        "python.org, or python3-venv of your system), or choose an interpreter that has geotools."
    )


def create(folder, python, package, listener, *, environment=None):
    """Makes the environment and installs the package there; gives its interpreter.

    Args:
        folder: is replaced when it exists.
        python: what it is made from.
        package: as pip names it, or a path; words with spaces between are several.
        listener: with `line` (texts) and `is_cancelled`.
        environment: of the processes; this one's, cleaned, by default.

    Raises:
        Cancelled: the listener said so; the folder is gone.
        EngineError: it failed; the folder is gone.
    """
    free = shutil.disk_usage(_existing(folder)).free
    if free < _FREE_BYTES:
        raise EngineError(
            f"{free / 1e9:.1f} GB are free where {folder} would be, {_FREE_BYTES / 1e9:.0f} are "
            "needed: make room, or choose an interpreter that has geotools."
        )
    variables = clean_environment() if environment is None else environment
    inside = interpreter_in(folder)
    steps = (
        (python, ["-m", "venv", "--clear", folder]),
        (inside, install_words(package)),
        (inside, ["-m", "geotools", "--version"]),
    )
    done = False
    try:
        for program, words in steps:
            listener.line(" ".join([program, *words]))
            _step(program, words, listener, variables)
        with open(os.path.join(folder, MARKER), "w", encoding="utf-8") as file:
            file.write(package + "\n")
        done = True
    finally:
        if not done:
            shutil.rmtree(folder, ignore_errors=True)
    return inside


def install_words(package, system=sys.platform):
    """What the interpreter is given to install a package.

    Args:
        package: as pip names it.
        system: as `sys.platform`. PyPI's PyTorch for Linux brings 3 GB of CUDA; who has a GPU
            makes an environment and chooses its interpreter.
    """
    words = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", package]
    if "train" in package and system.startswith("linux"):
        words += ["--extra-index-url", "https://download.pytorch.org/whl/cpu"]
    return words


def proxy_of(settings):
    """Variables for the proxy that QGIS is told to use; none where it uses none."""
    if not settings.value("proxy/proxyEnabled", False, type=bool):
        return {}
    host = settings.value("proxy/proxyHost", "", type=str)
    port = settings.value("proxy/proxyPort", "", type=str)
    if not host:
        return {}
    user = settings.value("proxy/proxyUser", "", type=str)
    word = settings.value("proxy/proxyPassword", "", type=str)
    login = f"{quote(user, safe='')}:{quote(word, safe='')}@" if user else ""
    address = f"http://{login}{host}:{port}" if port else f"http://{login}{host}"
    return {"HTTP_PROXY": address, "HTTPS_PROXY": address}


def _existing(path):
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def _start(program, words, variables):
    process = QProcess()
    given = QProcessEnvironment()
    for name, value in variables.items():
        given.insert(name, value)
    process.setProcessEnvironment(given)
    process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
    process.start(program, words)
    return process


def _output(program, words, variables):
    """What a program prints within ten seconds; nothing when it fails."""
    process = _start(program, words, variables)
    if not process.waitForFinished(10000):
        process.kill()
        process.waitForFinished(1000)
        return ""
    fine = process.exitStatus() == QProcess.ExitStatus.NormalExit and not process.exitCode()
    return bytes(process.readAllStandardOutput()).decode("utf-8", "replace") if fine else ""


def _step(program, words, listener, variables):
    process = _start(program, words, variables)
    process.closeWriteChannel()
    splitter, last = LineSplitter(), ""
    running = process.waitForStarted(30000)
    if not running:
        raise EngineError(f"{program} cannot be started ({process.errorString()}).")
    while running:
        running = process.state() != QProcess.ProcessState.NotRunning
        if running:
            process.waitForReadyRead(_WAIT_MS)
        for line in splitter.feed(bytes(process.readAllStandardOutput())):
            last = line or last
            listener.line(line)
        if running and listener.is_cancelled():
            process.kill()
            process.waitForFinished(3000)
            raise Cancelled
    last = (splitter.last() or [last])[0]
    if process.exitStatus() != QProcess.ExitStatus.NormalExit or process.exitCode():
        raise EngineError(f"The environment could not be made ({last or 'no word'}): see the log.")
