"""RunFolder: the folder of one training, from its first state to its complete outputs.

What is unfinished lies in a hidden folder inside; outputs get their names when all are made, the
figures last, so that a folder with `evaluation.json` is complete.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from geotools.errors import FileError
from geotools.io.atomic import write_atomic

__all__ = ["OUTPUTS", "RunFolder"]

OUTPUTS = (
    "model.onnx", "card.md", "model.stac.json", "report.html", "split.gpkg", "weights.pt",
    "evaluation.json",
)  # fmt: skip
"""What a training leaves, in the order in which the names appear; weights of nets only."""

_WORK = ".unfinished"
_STATE = "state.json"


class RunFolder:
    """The folder of one training."""

    def __init__(self, path: str | os.PathLike[str], digest: str, *, overwrite: bool) -> None:
        """
        Args:
            path: made when it does not exist; the folder above it must.
            digest: of the configuration.
            overwrite: what an earlier training left is replaced.

        Raises:
            FileError: it is a file, holds other things, a finished training, or an unfinished one
                of another configuration; or cannot be made.
        """
        self.path = Path(path)
        self.work = self.path / _WORK
        self._check(digest, overwrite)
        try:
            if self.work.exists() and self._state() != digest:
                shutil.rmtree(self.work)
            self.work.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(
                f"The folder {self.path} cannot be used ({error.strerror}): name another with -o."
            ) from None
        self.resumed = self._state() == digest
        """True when an earlier run of the same training was stopped."""
        if not self.resumed:
            with write_atomic(self.work / _STATE, overwrite=True) as part:
                part.write_text(json.dumps({"digest": digest}), encoding="utf-8")

    def _check(self, digest: str, overwrite: bool) -> None:
        parent = self.path.absolute().parent
        if not parent.is_dir():
            raise FileError(f"The folder {parent} does not exist: create it, or name another.")
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
                f"{self.path} holds a finished training: give --overwrite to replace it, or name "
                "another folder."
            )
        if _WORK in found and self._state() not in (None, digest):
            raise FileError(
                f"{self.path} holds the unfinished training of another configuration: give "
                "--overwrite to discard it, or name another folder."
            )

    def _state(self) -> str | None:
        """Digest of the training that is under way here."""
        try:
            state = json.loads((self.work / _STATE).read_text(encoding="utf-8"))
            return str(state["digest"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def finish(self) -> tuple[Path, ...]:
        """Gives the outputs in the work folder their names; their paths.

        Raises:
            FileError: the disk refuses.
        """
        (self.path / "evaluation.json").unlink(missing_ok=True)
        paths = []
        try:
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
