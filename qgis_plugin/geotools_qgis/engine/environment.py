"""What the engine's process gets of QGIS's environment.

QGIS sets paths of its own Python, GDAL, PROJ and Qt; each of them breaks another Python that reads
it. They are taken out, and nothing else.
"""

import os
import sys

__all__ = ["DROPPED", "clean_environment"]

DROPPED = (
    "PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "PYTHONSTARTUP", "VIRTUAL_ENV", "GDAL_DATA",
    "GDAL_DRIVER_PATH", "GDAL_PAM_PROXY_DIR", "PROJ_LIB", "PROJ_DATA", "LD_LIBRARY_PATH",
    "LD_PRELOAD", "QT_PLUGIN_PATH", "QGIS_PREFIX_PATH", "QGIS_PLUGINPATH", "GISBASE",
)  # fmt: skip
"""Variables that point into QGIS."""

_DROPPED_BEGINNINGS = ("DYLD_",)
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_SET = {
    "PYTHONNOUSERSITE": "1",  # packages of the user's folder are for another Python
    "PYTHONIOENCODING": "utf-8",
    "PYTHONSAFEPATH": "1",  # a file beside the data is no module
    "PYTHONUNBUFFERED": "1",
}


def clean_environment(environment=None, *, windows=None, prefix=None):
    """The environment of the engine: a new dict of texts.

    Args:
        environment: that of this process by default.
        windows: whether it is Windows, where QGIS's folders of programs are taken out too.
        prefix: folder that QGIS is installed in; on Windows alone.
    """
    source = os.environ if environment is None else environment
    windows = sys.platform == "win32" if windows is None else windows
    kept = {
        name: value
        for name, value in source.items()
        if name.upper() not in DROPPED and not name.upper().startswith(_DROPPED_BEGINNINGS)
    }
    if windows:
        home = prefix or os.environ.get("OSGEO4W_ROOT") or sys.prefix
        for name in [name for name in kept if name.upper() == "PATH"]:
            parts = kept[name].split(";")
            kept[name] = ";".join(part for part in parts if not _is_below(part, home))
        for name in [name for name in kept if name.upper() in _CERTIFICATES]:
            if _is_below(kept[name], home):
                del kept[name]
    kept.update(_SET)
    return kept


def _is_below(path, folder):
    """Whether a path of Windows lies in a folder, or says that it is QGIS's."""
    plain = path.replace("/", "\\").lower().rstrip("\\")
    home = folder.replace("/", "\\").lower().rstrip("\\")
    return plain == home or plain.startswith(home + "\\") or "osgeo4w" in plain or "qgis" in plain
