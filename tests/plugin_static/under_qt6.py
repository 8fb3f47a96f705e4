"""Imports every module of a plugin under Qt 6 and looks at every name of Qt that it uses.

`python under_qt6.py PACKAGE` prints one line for each finding and exits 1 when there are some. Of
`qgis`, `qgis.PyQt` is PyQt6 as it is, all else stands in: classes that take anything. Names of Qt
are looked up in PyQt6 wherever they stand, in functions that are never called too. It runs in a
process of its own, since what it puts into `sys.modules` is no QGIS.
"""

from __future__ import annotations

import ast
import enum
import importlib
import importlib.abc
import importlib.machinery
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path

_QT = ("QtCore", "QtGui", "QtWidgets")
_STAND_INS = ("qgis.core", "qgis.gui", "qgis.utils", "qgis.analysis", "processing")
_LOOKED_INTO = (type, types.ModuleType)
_GONE = {"exec_": "exec", "print_": "print"}
"""Methods that PyQt5 has twice and PyQt6 once."""


def _anything(self: object, name: str) -> object:
    """Any attribute, of classes and of objects: a member of an enum, a method, a signal."""
    if name.startswith("__"):
        raise AttributeError(name)
    return Anything()


class Anything(metaclass=type("_AnyAttribute", (type,), {"__getattr__": _anything})):
    """Takes any call and has any attribute."""

    def __init__(self, *given: object, **named: object) -> None:
        pass

    __getattr__ = _anything

    def __call__(self, *given: object, **named: object) -> object:
        return Anything()

    def __or__(self, other: object) -> object:
        return Anything()


class _StandIn(types.ModuleType):
    """A module of QGIS; its classes are `Anything`, but widgets are widgets and tasks objects."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        of_qt = _of_qt(name)
        body = {"__module__": self.__name__, "__getattr__": _anything}
        if of_qt is None:
            made = type(Anything)(name, (Anything,), body)
        else:  # derived classes have signals, and can be laid out
            kind = type("_AnyAttribute", (type(of_qt),), {"__getattr__": _anything})
            made = kind(name, (of_qt,), {**body, "filePath": lambda self: ""})
        if name == "QgsSettings":
            made.value = lambda self, key, default=None, type=None: default
        if name == "QgsTask":
            made.__init__ = lambda self, title, flags: of_qt.__init__(self)
        setattr(self, name, made)
        return made


def _of_qt(name: str) -> type | None:
    """The class of Qt that one of QGIS is derived from, where that matters."""
    from PyQt6 import QtCore, QtWidgets

    if name == "QgsTask":
        return QtCore.QObject
    if name == "QgsDockWidget":
        return QtWidgets.QDockWidget
    return QtWidgets.QWidget if name.endswith("Widget") else None


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `qgis` and `processing`, which are not there."""

    def find_spec(self, name, path=None, target=None):
        if name in ("qgis", "qgis.PyQt", *_STAND_INS) or name.startswith("qgis.PyQt."):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        if spec.name.startswith("qgis.PyQt."):
            return importlib.import_module("PyQt6." + spec.name.rpartition(".")[2])
        return (_StandIn if spec.name in _STAND_INS else types.ModuleType)(spec.name)

    def exec_module(self, module):
        pass


def modules_of(package: Path) -> Iterator[tuple[str, Path]]:
    """Name and path of every module."""
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def import_all(package: Path) -> Iterator[str]:
    """A finding for every module that cannot be imported."""
    for name, _ in modules_of(package):
        try:
            importlib.import_module(name)
        except Exception as error:
            yield f"{name}: {type(error).__name__}: {error}"


def _enum_members() -> set[str]:
    """Names of members that stand in an enum of Qt and nowhere else."""
    members: set[str] = set()
    others: set[str] = set()
    for module in map(importlib.import_module, [f"PyQt6.{name}" for name in _QT]):
        for kind in vars(module).values():
            if not isinstance(kind, type):
                continue
            for name, value in vars(kind).items():
                if isinstance(value, type) and issubclass(value, enum.Enum):
                    members.update(value.__members__)
                else:
                    others.add(name)
    return members - others


def _chain(node: ast.expr) -> list[str]:
    """`a.b.c` as words; empty when it begins with anything but a name."""
    words: list[str] = []
    while isinstance(node, ast.Attribute):
        words.append(node.attr)
        node = node.value
    return [*words, node.id][::-1] if isinstance(node, ast.Name) else []


def _imported(tree: ast.AST) -> tuple[dict[str, object], set[str]]:
    """Names that are Qt's, with what they are in PyQt6; names that are QGIS's."""
    ours: dict[str, object] = {}
    others: set[str] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("qgis"):
            continue
        for alias in node.names:
            name = alias.asname or alias.name
            if node.module.startswith("qgis.PyQt."):
                module = importlib.import_module("PyQt6." + node.module.rpartition(".")[2])
                if hasattr(module, alias.name):  # what is not there, importing tells of
                    ours[name] = getattr(module, alias.name)
            elif node.module == "qgis.PyQt":
                ours[name] = importlib.import_module(f"PyQt6.{alias.name}")
            else:
                others.add(name)
    return ours, others


def look(path: Path, members: set[str]) -> Iterator[str]:
    """A finding for every name of Qt that PyQt6 has not, in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    known, others = _imported(tree)
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        where = f"{path.name}:{node.lineno}"
        words = _chain(node)
        if node.attr in _GONE:
            yield f"{where}: {node.attr}() is gone, write {_GONE[node.attr]}()"
        elif words and words[0] in known:
            if id(node) not in inner:
                yield from (f"{where}: {said}" for said in _resolve(words, known[words[0]]))
        elif node.attr in members and not (words and words[0] in others) and not _scoped(node):
            yield f"{where}: {node.attr} is a member of an enum, name the enum"


def _scoped(node: ast.Attribute) -> bool:
    """Whether what stands before the dot is called as an enum is: `widget.Shape.Box`."""
    before = node.value
    return isinstance(before, ast.Attribute) and before.attr[:1].isupper()


def _resolve(words: list[str], value: object) -> Iterator[str]:
    """A finding when classes and enums have no such attribute; what objects have is not known."""
    for place, word in enumerate(words[1:], 1):
        if not isinstance(value, _LOOKED_INTO):
            return
        if not hasattr(value, word):
            yield f"Qt 6 has no {'.'.join(words[: place + 1])}"
            return
        value = getattr(value, word)


def install(package: Path) -> None:
    """Makes the package and what stands in for QGIS importable in this process."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    sys.path.insert(0, str(package.parent))
    sys.meta_path.insert(0, _Finder())


def findings(package: Path) -> list[str]:
    """All of a package."""
    install(package)
    found = list(import_all(package))
    members = _enum_members()
    for _, path in modules_of(package):
        found += look(path, members)
    return found


if __name__ == "__main__":
    told = findings(Path(sys.argv[1]).resolve())
    for line in told:
        print(line)
    sys.exit(bool(told))
