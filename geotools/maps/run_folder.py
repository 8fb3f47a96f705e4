"""RunFolder: the folder of one training, from its first state to its complete outputs.

What is unfinished lies in a hidden folder inside; outputs get their names when all are made, the
figures last, so that a folder with `evaluation.json` is complete.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path
from types import TracebackType

from geotools.errors import FileError
from geotools.io.atomic import write_atomic
from geotools.io.locking import locked

__all__ = ["OUTPUTS", "RunFolder"]

OUTPUTS = (
    "model.onnx", "card.md", "model.stac.json", "report.html", "split.gpkg", "weights.pt",
    "evaluation.json",
)  # fmt: skip
"""What a training leaves, in the order in which the names appear; weights of nets only."""

_WORK = ".unfinished"
_STATE = "state.json"
_LOCK = "lock"


class RunFolder:
    """The folder of one training; a context manager, which keeps other runs out meanwhile.

    When it is left by an error, what can be gone on from stays, and otherwise nothing: a run that
    failed while it read leaves the folder as it was.
    """

    def __init__(self, path: str | os.PathLike[str], digest: str, *, overwrite: bool) -> None:
        """
        Args:
            path: made when it does not exist, with the folders above it.
            digest: of the configuration.
            overwrite: what an earlier training left is replaced.

        Raises:
            FileError: it is a file, holds other things, a finished training, or an unfinished one
                of another configuration; another run is at work in it; or it cannot be made.
        """
        self.path = Path(path)
        self.work = self.path / _WORK
        self._lock: int | None = None
        self._mine = False
        self._made: list[Path] = []
        try:
            self._check(digest, overwrite)
            self._made = [one for one in (self.path, *self.path.parents) if not one.exists()]
            self.work.mkdir(parents=True, exist_ok=True)
            self._lock = locked(self.work / _LOCK, self.path)
            self._mine = True
            self.resumed = self._begun() and self._state() == digest
            """True when an earlier run of the same training was stopped while it learned."""
            if not self.resumed:
                self._start(digest)
        except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
            self._leave(failed=True)
            if isinstance(error, FileError):
                raise
            reason = getattr(error, "strerror", None) or error
            raise FileError(
                f"The folder {_shown(self.path)} cannot be used ({reason}): name another with -o."
            ) from None

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave(failed=kind is not None)

    def _leave(self, *, failed: bool) -> None:
        """Lets other runs in, and removes what a failed one has no use for."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        if not failed:
            return
        if self._mine and self.work.exists() and not self._begun():
            shutil.rmtree(self.work, ignore_errors=True)
        for folder in self._made:  # the innermost first; what holds something stays
            with contextlib.suppress(OSError, ValueError):
                folder.rmdir()

    def _check(self, digest: str, overwrite: bool) -> None:
        above = next(one for one in self.path.absolute().parents if one.exists())
        if not above.is_dir():
            raise FileError(f"{_shown(above)} is a file: name a folder for the training.")
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise FileError(f"{self.path} is a file: name a folder for the training.")
        found = {item.name for item in self.path.iterdir()}
        strange = found - set(OUTPUTS) - {_WORK}
        if strange and not found & {_WORK, "evaluation.json"}:
            raise FileError(
                f"{self.path} holds other files, such as {sorted(strange)[0]}: name a new folder "
                "for the training."
            )
        if overwrite:
            return
        if "evaluation.json" in found:
            raise FileError(
                f"{self.path} holds a finished training{self._of_another(digest)}: give "
                "--overwrite to replace it, or name another folder."
            )
        if _WORK not in found and found:
            raise FileError(
                f"{self.path} holds {sorted(found)[0]}: give --overwrite to replace it, or name "
                "another folder."
            )
        if self._begun() and self._state() not in (None, digest):
            raise FileError(
                f"{self.path} holds the unfinished training of another configuration: give "
                "--overwrite to discard it, or name another folder."
            )

    def _of_another(self, digest: str) -> str:
        """Words on the finished training, when it is of another configuration."""
        try:
            told = json.loads((self.path / "evaluation.json").read_text(encoding="utf-8"))
            other, name = str(told["configuration"]), str(told["name"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""
        return "" if other == digest else f" of another configuration ({name[:60]})"

    def _begun(self) -> bool:
        """True when there is something to go on from: the state of a net."""
        return any(not item.name.startswith(".") for item in self.work.glob("*.pt"))

    def _state(self) -> str | None:
        """Digest of the training that is under way here."""
        try:
            state = json.loads((self.work / _STATE).read_text(encoding="utf-8"))
            return str(state["digest"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _start(self, digest: str) -> None:
        """Makes the work folder that of a new training."""
        for item in self.work.iterdir():
            if item.is_dir():
                shutil.rmtree(item)
            elif item.name != _LOCK:
                item.unlink()
        with write_atomic(self.work / _STATE, overwrite=True) as part:
            part.write_text(json.dumps({"digest": digest}), encoding="utf-8")

    def finish(self) -> tuple[Path, ...]:
        """Gives the outputs in the work folder their names; their paths.

        Raises:
            FileError: the disk refuses.
        """
        paths = []
        try:
            (self.path / "evaluation.json").unlink(missing_ok=True)
            for name in OUTPUTS:
                made, target = self.work / name, self.path / name
                if made.exists():
                    made.replace(target)
                    paths.append(target)
                elif target.exists():  # of an earlier training
                    target.unlink()
            shutil.rmtree(self.work)
        except OSError as error:
            raise FileError(
                f"The outputs could not be moved to {self.path} ({error.strerror}): make room or "
                "mend its permissions, then run the same command again."
            ) from None
        return tuple(paths)


def _shown(path: Path) -> str:
    """The path, shortened where nobody could read it."""
    text = str(path).replace("\0", "\\0")
    return text if len(text) <= 120 else f"{text[:60]}…{text[-40:]}"
