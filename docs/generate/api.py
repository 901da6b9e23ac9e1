"""The reference of every public name, from ``__all__`` of the public packages."""

from __future__ import annotations

import importlib
import inspect
from types import ModuleType
from typing import Any

import graphkd
from docs.generate.rst import title, toctree
from graphkd.datasets import Source
from graphkd.plugins import GROUPS


def api_pages() -> dict[str, str]:
    """Returns a page per public package, and their index."""
    packages = public_packages()
    pages = {f"api/{name}.rst": _page(module) for name, module in packages.items()}
    index = title("Python reference") + "\n" + INTRODUCTION + "\n" + toctree(packages)
    return {"api/index.rst": index, **pages}


INTRODUCTION = """\
Every public name of the library. ``import graphkd`` loads nothing heavy: a name is imported when it is first used.
"""


def public_packages() -> dict[str, ModuleType]:
    """Returns the packages whose names users may rely on, by name: ``graphkd`` itself first."""
    inner = {f"graphkd.{name}" for name in graphkd.__all__ if inspect.ismodule(getattr(graphkd, name))}
    names = ["graphkd", *sorted(inner | set(GROUPS) | {"graphkd.testing"})]
    return {name: importlib.import_module(name) for name in names}


def _page(module: ModuleType) -> str:
    """Returns the page of a package: its docstring, then each name, classes first."""
    members = {name: getattr(module, name) for name in module.__all__ if not name.startswith("__")}
    order = sorted(members, key=lambda name: (not inspect.isclass(members[name]), name.lower()))
    blocks = [_directive(module.__name__, name, members[name]) for name in order]
    start = f"{title(module.__name__)}\n.. automodule:: {module.__name__}\n   :no-members:\n"
    return "\n".join([start, *filter(None, blocks)])


def _directive(package: str, name: str, member: Any) -> str:
    """Returns what documents a name; a package and a data set have pages of their own."""
    if inspect.ismodule(member) or isinstance(member, Source) or _is_top_level(package, name, member):
        return ""
    if inspect.isclass(member):
        return f".. autoclass:: {package}.{name}\n   :members:\n   :show-inheritance:\n"
    if inspect.isfunction(member):
        return f".. autofunction:: {package}.{name}\n"
    return f".. py:data:: {package}.{name}\n\n   {_values(member)}\n"


def _values(member: Any) -> str:
    """Returns the names that a constant holds; of a type, its members."""
    if not isinstance(member, dict | tuple | list):
        return f"``{member}``"
    return ", ".join(f"``{getattr(each, '__name__', each)}``" for each in member) + "."


def _is_top_level(package: str, name: str, member: Any) -> bool:
    return package != "graphkd" and getattr(graphkd, name, None) is member
