"""The examples in docstrings run, and every public name has one."""

import doctest
import importlib
import inspect
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

import graphkd
from docs.generate.api import public_packages

PACKAGE = Path(graphkd.__file__).parent
WITH_EXAMPLES = [
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted(PACKAGE.rglob("*.py"))
    if ">>>" in path.read_text()
]
PACKAGES = sorted({*public_packages(), "graphkd.columns"} - {"graphkd"})
SLOW = "graphkd.testing.methods"
"""Runs the whole contract of a method, for seconds."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == SLOW else ()) for name in WITH_EXAMPLES]
)
def test_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("name", [name for name in graphkd.__all__ if not name.startswith("__")])
def test_every_public_name_has_an_example(name: str) -> None:
    assert has_example(getattr(graphkd, name))


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_class_and_function_of_a_package_has_an_example(package: str) -> None:
    module = importlib.import_module(package)
    parts = {name: getattr(module, name) for name in module.__all__}
    parts = {name: part for name, part in parts.items() if inspect.isclass(part) or inspect.isroutine(part)}
    assert parts
    assert [name for name, part in parts.items() if not has_example(part)] == []


def has_example(part: object) -> bool:
    """Returns whether its own docstring has one; a class does not inherit that of its base."""
    return ">>>" in (part.__doc__ or "")


def test_examples_are_looked_for_in_every_package() -> None:
    found = {name.split(".")[1] for name in WITH_EXAMPLES}
    public = {name for name in graphkd.__all__ if isinstance(getattr(graphkd, name), ModuleType)}
    assert public <= found <= {module.name for module in pkgutil.iter_modules([str(PACKAGE)])}
