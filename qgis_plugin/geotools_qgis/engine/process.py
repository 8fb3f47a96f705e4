"""run: a command of the engine from its start to its end, wherever it is called.

The engine ends by itself when its standard input is closed: to stop it the input is closed, and
when QGIS ends, however that is, the system closes it.
"""

from dataclasses import dataclass, field
from typing import Any, Optional

from qgis.PyQt.QtCore import QElapsedTimer, QProcess, QProcessEnvironment

from .discovery import EngineError
from .environment import clean_environment
from .messages import SCHEMA, LineSplitter, read_line

__all__ = ["Cancelled", "EngineCrash", "Outcome", "run"]

_GRACE_MS = 3000
"""Time to end after being asked to."""
_WAIT_MS = 100
_KEPT_LINES = 30


class Cancelled(Exception):
    """The user stopped the run; the engine has ended."""


class EngineCrash(EngineError):
    """The engine ended without having its way: it was killed, or a library of it failed."""


@dataclass
class Outcome:
    """What came of a run that ended well."""

    result: dict[str, Any]
    """The last message of the engine."""
    code: int
    """Its exit code: 0, or 3 when a part is done."""
    warnings: list[str] = field(default_factory=list)
    """What it said about the result."""


class _Log:
    """What the engine has said so far."""

    def __init__(self, listener):
        self.listener = listener
        self.result: Optional[dict[str, Any]] = None
        self.error = ""
        self.warnings: list[str] = []
        self.lines: list[str] = []
        self.stage = ""

    def take_output(self, line):
        found = read_line(line)
        if found is None or ("event" not in found and "schema" not in found and self.result):
            self.take_line(line)
            return
        schema = found.get("schema", SCHEMA)
        if schema != SCHEMA:
            raise EngineError(
                f"The engine speaks form {schema} of its messages and this plugin reads form "
                f"{SCHEMA}: update {'the plugin' if schema > SCHEMA else 'geotools-ml'}."
            )
        event = found.get("event")
        if event == "progress":
            self._progress(found)
        elif event == "info":
            self.listener.info(found["message"])
        elif event == "warning":
            self.warnings.append(found["message"])
            self.listener.warning(found["message"])
        elif event == "error":
            self.error = found["message"]
        elif event in ("result", None):
            self.result = found

    def _progress(self, found):
        if found["stage"] != self.stage:
            self.stage = found["stage"]
            self.listener.stage(self.stage)
        if found["total"]:
            self.listener.progress(100.0 * found["done"] / found["total"])
        if found.get("figures") and hasattr(self.listener, "figures"):
            self.listener.figures(self.stage, found["done"], found["figures"])

    def take_line(self, line):
        if line.strip():
            self.lines = [*self.lines, line][-_KEPT_LINES:]
            self.listener.line(line)


def run(engine, words, listener, *, environment=None) -> Outcome:
    """Runs a command of the engine.

    Args:
        engine: how it is started.
        words: the command and its arguments.
        listener: with `info`, `warning`, `stage`, `line` (texts), `progress` (per cent) and
            `is_cancelled`; with `figures` (stage, number of the epoch, value by name) if it wants
            the curves of trainings.
        environment: of the process; this one's, cleaned, by default.

    Raises:
        Cancelled: the listener said so.
        EngineCrash: it was killed, and may have left what it was writing.
        EngineError: it could not be started, speaks another form, or failed.
    """
    process = QProcess()
    variables = QProcessEnvironment()
    for name, value in (clean_environment() if environment is None else environment).items():
        variables.insert(name, value)
    process.setProcessEnvironment(variables)
    process.start(engine.program, [*engine.command[1:], "--stop-on-eof", *words])
    if not process.waitForStarted(30000):
        raise EngineError(
            f"{engine.program} cannot be started ({process.errorString()}): choose another Python "
            "in Settings > Options > geotools."
        )
    log = _Log(listener)
    try:
        cancelled = _follow(process, log, listener)
    finally:
        _end(process)
    if cancelled:
        raise Cancelled
    return _outcome(engine, process, log)


def _follow(process, log, listener):
    """Reads until the process has ended; True when it was stopped because the listener said so."""
    output, errors = LineSplitter(), LineSplitter()
    running = True
    while running:
        running = process.state() != QProcess.ProcessState.NotRunning
        if running:
            process.waitForReadyRead(_WAIT_MS)
        for line in output.feed(bytes(process.readAllStandardOutput())):
            log.take_output(line)
        for line in errors.feed(bytes(process.readAllStandardError())):
            log.take_line(line)
        if running and listener.is_cancelled():
            return True
    for line in output.last():
        log.take_output(line)
    for line in errors.last():
        log.take_line(line)
    return False


def _end(process):
    """Ends a process that still runs: its input is closed; after a while it is killed."""
    if process.state() == QProcess.ProcessState.NotRunning:
        return
    process.closeWriteChannel()
    clock = QElapsedTimer()
    clock.start()
    while clock.elapsed() < _GRACE_MS:
        if process.waitForFinished(_WAIT_MS) or _has_ended(process):
            return
        process.readAllStandardOutput()  # a full pipe would keep it
        process.readAllStandardError()
    process.kill()
    process.waitForFinished(_GRACE_MS)


def _has_ended(process):
    return process.state() == QProcess.ProcessState.NotRunning


def _outcome(engine, process, log):
    crashed = process.exitStatus() != QProcess.ExitStatus.NormalExit
    code = process.exitCode()
    partly = not log.error or code == 3
    if not crashed and log.result is not None and code in (0, 1, 3) and partly:
        # 1 with a result: doctor found what does not work, and says it in the result.
        return Outcome(log.result, code, log.warnings)
    kind = EngineCrash if crashed else EngineError
    raise kind(log.error or _why(engine, log, crashed, code))


def _why(engine, log, crashed, code):
    """One sentence about an engine that ended without a word of its own."""
    said = "\n".join(log.lines)
    if "No module named" in said and "geotools" in said:
        return (
            f"{engine.program} has no geotools: install it there (python -m pip install "
            "geotools-ml), or choose another Python in Settings > Options > geotools."
        )
    if "No such option" in said and "--stop-on-eof" in said:
        return (
            f"The geotools of {engine.program} is older than this plugin: update it there "
            "(python -m pip install --upgrade geotools-ml)."
        )
    last = log.lines[-1].strip() if log.lines else "it said nothing"
    last = last.replace("Error: ", "", 1) if last.startswith("Error: ") else last
    if crashed:
        return f"The engine crashed ({last}): see the log; nothing is left half written."
    if code == 2:
        return last
    return f"The engine ended with code {code} ({last}): see the log."
