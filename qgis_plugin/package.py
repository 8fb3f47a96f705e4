"""The plugin as a zip that QGIS installs: `python qgis_plugin/package.py OUT.zip`.

The same files give the same bytes. `qgis-plugin-ci package VERSION` makes one from git.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

__all__ = ["FOLDER", "make_zip", "plugin_files"]

FOLDER = Path(__file__).parent / "geotools_qgis"

_ENDINGS = {".py", ".txt", ".svg", ".ui", ".qm", ".model3", ".html"}


def plugin_files() -> list[Path]:
    """What belongs into the zip, sorted: files of known kinds and the licence, nothing hidden."""
    return sorted(
        path
        for path in FOLDER.rglob("*")
        if path.is_file()
        and (path.suffix in _ENDINGS or path.name == "LICENSE")
        and not any(
            part.startswith((".", "__pycache__")) for part in path.relative_to(FOLDER).parts
        )
    )


def make_zip(target: Path) -> None:
    """Writes the zip: one folder, named as the plugin is imported."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in plugin_files():
            name = path.relative_to(FOLDER.parent).as_posix()
            entry = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())


if __name__ == "__main__":
    make_zip(Path(sys.argv[1]))
