"""The documents: what they say of keys, commands and files is so."""

import dataclasses
import importlib
import importlib.util
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from geotools.batch.config import BatchJob, Inputs, Override, make_job
from geotools.cli import _COMMANDS
from geotools.training.config import make_config

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))

ids = [str(page.relative_to(ROOT)) for page in PAGES]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def test_every_key_of_a_training_is_in_its_reference():
    """Keys, types, defaults, choices and features of docs/train.md are those of the code."""
    path = ROOT / "docs" / "train_reference.py"
    spec = importlib.util.spec_from_file_location("train_reference", path)
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    page = reference.PAGE.read_text(encoding="utf-8")
    assert reference.filled(page) == page, "run  python docs/train_reference.py  and look at it"
    for name, table in reference.tables().items():
        assert table.count("\n") > 2, name


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_configurations_can_be_used(page):
    """Every TOML of a document is a configuration, or a part of one."""
    for text in blocks(page, "toml"):
        values = tomllib.loads(text)
        if "operation" in values:
            make_job(values)
            continue
        if "labels" not in values and "table" not in values:
            values["labels"] = {"path": "x.gpkg"}
        rasters = {} if "table" in values else {"inputs": [{"name": "x", "path": "x"}]}
        make_config({"name": "x", **rasters, **values})


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_somewhere(page):
    """Every link to a file or a heading of ours finds it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _, heading = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), target
        if heading:
            assert heading in headings(file), target


def headings(page: Path) -> set[str]:
    lines = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_commands_have_the_options_that_are_shown(page):
    """Every command line of a document names a command, and options that it has."""
    text = page.read_text(encoding="utf-8")
    for line in re.findall(r"^[ >]*(geotools [a-z].*)$", text, re.MULTILINE):
        words = shlex.split(line.split("  #")[0])[1:]
        if words[0] not in _COMMANDS:
            assert line.rstrip()[-1] in ".:,;", line  # a sentence that begins with the name
            continue
        command = importlib.import_module(f"geotools.cli.{words.pop(0)}").command
        while isinstance(command, click.Group):
            command = command.commands[words.pop(0)]
        known = {flag for item in command.params for flag in item.opts}
        for word in words:
            if re.match(r"--?[a-z]", word):
                assert word.split("=")[0] in known, line


def test_every_key_of_a_batch_is_in_its_page():
    """Keys of jobs and of their inputs are named in docs/batch.md."""
    text = (ROOT / "docs" / "batch.md").read_text(encoding="utf-8")
    for kind in (BatchJob, Inputs, Override):
        for field in dataclasses.fields(kind):
            named = re.search(rf"`\[*{field.name}\b|^{field.name} = ", text, re.MULTILINE)
            assert named, field.name


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem[:4])
def test_decisions_have_context_decision_and_consequences(page):
    """Every decision says why, what, and what follows, under the number of its file."""
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {page.stem[:4]} ")
    for part in ("Context", "Decision", "Consequences"):
        assert re.search(rf"^(## {part}|\*\*{part}\.\*\*)", text, re.MULTILINE), part


def test_decisions_have_numbers_of_their_own():
    """No number is given twice."""
    numbers = [page.stem[:4] for page in DECISIONS]
    assert len(set(numbers)) == len(numbers)


def test_glossary_is_in_order():
    """One word per thing, each once, by the alphabet."""
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = [row.split("|")[1].strip() for row in re.findall(r"^\| .*", text, re.MULTILINE)][1:]
    assert words == sorted(words, key=str.casefold)
    assert len(set(words)) == len(words)


def test_pictures_are_small():
    """A clone stays small."""
    for picture in (ROOT / "docs").rglob("*.png"):
        assert picture.stat().st_size < 700_000, picture
    tutorial = (ROOT / "docs" / "pictures").glob("*.png")
    assert sum(picture.stat().st_size for picture in tutorial) < 400_000
    qgis = (ROOT / "docs" / "pictures" / "qgis").glob("*.png")
    assert sum(picture.stat().st_size for picture in qgis) < 300_000
