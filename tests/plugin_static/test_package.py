"""qgis_plugin: what the plugin site asks for, without QGIS."""

import ast
import configparser
import importlib.util
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[2] / "qgis_plugin"
FOLDER = PLUGIN / "geotools_qgis"
SOURCES = sorted(FOLDER.rglob("*.py"))

ALLOWED = {
    "collections", "configparser", "csv", "dataclasses", "html", "json", "math", "os", "platform",
    "re", "shlex", "shutil", "sys", "tempfile", "typing", "urllib",
}  # fmt: skip
"""Modules of the standard library that are there in every QGIS and start nothing."""

QGIS = {"qgis.core", "qgis.gui", "qgis.utils", "processing"}
"""Of QGIS, beside `qgis.PyQt`, which is PyQt5 or PyQt6."""

PLAIN = ("definitions", "engine/messages.py", "engine/environment.py", "engine/discovery.py",
         "engine/leftovers.py", "algorithms/toml.py", "algorithms/pages.py")  # fmt: skip
"""What works without QGIS."""


def package(name="package"):
    spec = importlib.util.spec_from_file_location(name, PLUGIN / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module)
    return found


def metadata() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(FOLDER / "metadata.txt", encoding="utf-8")
    return parser["general"]


def test_metadata_has_what_the_site_requires():
    """Required keys, versions of QGIS, the provider, an author without slash."""
    found = metadata()
    for key in ("name", "description", "version", "author", "email", "about", "tracker",
                "repository", "homepage", "tags", "category", "changelog"):  # fmt: skip
        assert found[key].strip(), key
    assert found["qgisMinimumVersion"] == "3.22"
    assert found["qgisMaximumVersion"] == "4.99"
    assert found.getboolean("hasProcessingProvider")
    assert "/" not in found["author"]
    # qgis-plugin-ci names the folder in the zip after it
    assert re.sub(r"[^a-z0-9]+", "_", found["name"].lower()) == FOLDER.name
    assert "supportsQt6" not in found
    assert "engine" not in found["name"]
    assert "BSD-3-Clause" in found["about"]
    assert (FOLDER / found["icon"]).is_file()
    for key in ("experimental", "deprecated", "server"):
        assert found[key] in ("True", "False")


def test_the_zip_is_what_the_site_takes(tmp_path):
    """One importable folder with the licence, no binaries, nothing hidden, far below 25 MB."""
    package().make_zip(tmp_path / "plugin.zip")
    with zipfile.ZipFile(tmp_path / "plugin.zip") as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {"geotools_qgis"}
    assert {"geotools_qgis/__init__.py", "geotools_qgis/metadata.txt", "geotools_qgis/LICENSE",
            "geotools_qgis/icon.svg"} <= set(names)  # fmt: skip
    assert not any("__pycache__" in name or "/." in name for name in names)
    assert {Path(name).suffix for name in names} <= {".py", ".txt", ".svg", ".model3", ".html", ""}
    assert (tmp_path / "plugin.zip").stat().st_size < 2**20
    package().make_zip(tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "plugin.zip").read_bytes()


def test_the_zip_holds_every_source():
    """No file of the plugin is forgotten: what is not in the zip is a cache."""
    kept = set(package().plugin_files())
    others = [path for path in FOLDER.rglob("*") if path.is_file() and path not in kept]
    assert not [path for path in others if path.suffix != ".pyc"]


def test_help_pages_say_what_definitions_say():
    """A page for each algorithm and a list of them, as make_help.py writes them."""
    pages = package("make_help").pages()
    kept = {path.name: path.read_text(encoding="utf-8") for path in (FOLDER / "help").iterdir()}
    assert kept == pages, "run python qgis_plugin/make_help.py"
    assert "--threads" in pages["landforms.html"]


def test_the_licence_is_that_of_the_project():
    """BSD-3-Clause, word by word."""
    assert (FOLDER / "LICENSE").read_text() == (PLUGIN.parent / "LICENSE").read_text()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_sources_are_of_python_3_9_and_import_what_qgis_has(path):
    """Syntax of Python 3.9; imports from the standard library, QGIS and the plugin alone."""
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    for name in imported(path):
        allowed = name in QGIS or name.startswith("qgis.PyQt.") or name.split(".")[0] in ALLOWED
        assert allowed, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_sources_need_no_newer_annotations(path):
    """No `X | Y` in annotations, which Python 3.9 would evaluate and refuse."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        notes = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        for note in notes:
            inner = ast.walk(note) if isinstance(note, ast.AST) else ()
            assert not any(isinstance(one, ast.BinOp) for one in inner)


def test_plain_parts_need_no_qgis():
    """What is said to work without QGIS imports nothing of it."""
    for name in PLAIN:
        paths = [FOLDER / name] if name.endswith(".py") else (FOLDER / name).glob("*.py")
        for path in paths:
            assert not any(one.split(".")[0] == "qgis" for one in imported(path))


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("flake8", ["--max-line-length", "120", str(PLUGIN)]),
        ("bandit", ["-q", "-r", str(FOLDER)]),
    ],
)
def test_scanners_of_the_site_find_nothing(tool, words):
    """Flake8, and Bandit without a floor of severity, as the plugin site runs them."""
    if importlib.util.find_spec(tool) is None:
        pytest.skip(f"{tool} is not installed here; .ci/run installs it")
    done = subprocess.run(
        [sys.executable, "-m", tool, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_secrets(tmp_path):
    """detect-secrets finds none in the zip."""
    if importlib.util.find_spec("detect_secrets") is None:
        pytest.skip("detect-secrets is not installed here; .ci/run installs it")
    package().make_zip(tmp_path / "plugin.zip")
    with zipfile.ZipFile(tmp_path / "plugin.zip") as archive:
        archive.extractall(tmp_path / "plain")
    done = subprocess.run(
        [sys.executable, "-m", "detect_secrets", "scan", "--all-files", str(tmp_path / "plain")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert '"results": {}' in done.stdout
