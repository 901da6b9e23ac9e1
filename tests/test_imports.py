"""Names that tests, experiments and examples import exist, also in those that need what is not here."""

import ast
import importlib
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(file for folder in ("tests", "experiments", "examples") for file in (ROOT / folder).rglob("*.py"))


def imported(file: Path) -> Iterator[tuple[str, str]]:
    """Modules and names that a file takes from the package and from the tests, at any depth."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("graphkd", "tests"):
            yield from ((str(node.module), alias.name) for alias in node.names)


def exists(module: str, name: str) -> bool:
    try:
        if hasattr(importlib.import_module(module), name):
            return True
        importlib.import_module(f"{module}.{name}")
    except ImportError:
        return False
    return True


@pytest.mark.slow
def test_what_is_imported_exists() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrong = [
            (str(file.relative_to(ROOT)), *pair) for file in FILES for pair in imported(file) if not exists(*pair)
        ]
    assert wrong == []
