"""The package's face: public names, examples, README."""

import ast
import importlib
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import geotools
from geotools.demo import write_jacksboro

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "geotools").rglob("*.py"))


def test_every_public_name_is_there():
    """`__all__` is sorted, complete and importable, and `dir` shows it."""
    assert geotools.__all__ == sorted(geotools.__all__)
    for name in geotools.__all__:
        assert getattr(geotools, name) is not None
    assert dir(geotools) == geotools.__all__
    with pytest.raises(AttributeError, match="nothing"):
        _ = geotools.nothing


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_has_a_face(path):
    """A docstring, and an `__all__` that is true."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    names = {
        target.id: statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    if "__all__" in names:
        public = ast.literal_eval(names["__all__"])
        if "training" not in path.parts:
            module = importlib.import_module(
                ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            )
            assert all(hasattr(module, name) for name in public)


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_examples_run(path, tmp_path, monkeypatch, capsys):
    """Every example runs as it stands."""
    if path.stem.endswith("_train"):
        pytest.importorskip("sklearn", reason="training needs the extra train")
        pytest.importorskip("torch", reason="training needs the extra train")
    if path.stem.endswith("_dask"):
        pytest.importorskip("distributed", reason="Dask needs the extra distributed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(path), str(tmp_path / "out")])
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out
    assert list((tmp_path / "out").glob("*.tif"))


def test_the_batch_example_runs(tmp_path, monkeypatch):
    """As it stands, on the demo's elevation model; a second run has nothing left to do."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "geotools-demo").mkdir()
    write_jacksboro(tmp_path / "geotools-demo" / "jacksboro_dem.tif")
    for status in ("done", "kept"):
        made = geotools.run_batch(ROOT / "examples" / "05_batch.toml", data=".", output="batch")
        assert [one.status for one in made.entries] == [status]
    for ending in (".tif", ".gpkg"):
        assert (tmp_path / "batch" / f"jacksboro_dem_forms{ending}").exists()


def snippets(language: str) -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_readme_commands_run(tmp_path, monkeypatch, capsys):
    """Every `geotools` command of the README runs, after the demo has made its files."""
    monkeypatch.chdir(tmp_path)
    lines = [line for block in snippets("sh") for line in block.splitlines()]
    commands = [line for line in lines if line.startswith("geotools ")]
    assert len(commands) >= 4
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", *command.split()], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (command, done.stderr)


def test_readme_python_runs(tmp_path, monkeypatch):
    """Every Python snippet of the README runs, after the demo has made its files."""
    monkeypatch.chdir(tmp_path)
    subprocess.run([sys.executable, "-m", "geotools", "demo"], check=True, capture_output=True)
    blocks = snippets("python")
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})


def test_demo_makes_what_it_says(tmp_path, monkeypatch):
    """The demo leaves GeoTIFF, GeoPackage and picture, and says where."""
    monkeypatch.chdir(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "geotools", "demo", "-o", "here"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name in ("dem.tif", "landforms.tif", "landforms.gpkg", "landforms.png"):
        assert f"here/jacksboro_{name}" in done.stdout
        assert (tmp_path / "here" / f"jacksboro_{name}").stat().st_size > 1000
