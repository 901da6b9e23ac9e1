"""The list of mutations fits the code; what it finds is experiments/robustness."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.experiments.loading import EXPERIMENTS


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "robustness_mutations", EXPERIMENTS / "robustness" / "mutations.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made() -> ModuleType:
    return load()


def test_every_mutation_is_named_once_and_found_once(made: ModuleType) -> None:
    found = made.mutations()
    assert len(found) >= 150
    assert made.mistakes(found) == []
    assert all(each.file.startswith("graphkd/") for each in found)
    assert all(each.tests for each in found)


def test_what_is_changed_still_compiles(made: ModuleType) -> None:
    """Else every test would notice it."""
    for each in made.mutations():
        text = each.applied((made.ROOT / each.file).read_text())
        if not each.file.endswith(".py"):  # C, which its tests compile
            continue
        compile(text, each.file, "exec", dont_inherit=True)


BLOCKS = {
    "named 2 times": ["# one\nf.py\nt.py\n- a\n+ b", "# one\nf.py\nt.py\n- b\n+ c"],
    "holds its old text 2 times": ["# one\nf.py\nt.py\n- x\n+ b"],
    "holds its old text 0 times": ["# one\nf.py\nt.py\n- z\n+ b"],
    "holds its old text -1 times": ["# one\ng.py\nt.py\n- a\n+ b"],
    "changes nothing": ["# one\nf.py\nt.py\n- a\n+ a"],
    "there is no u.py": ["# one\nf.py\nt.py u.py::test\n- a\n+ b"],
}


@pytest.mark.parametrize("mistake", BLOCKS)
def test_mistakes_in_the_list_are_named(mistake: str, made: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "f.py").write_text("a\nb\nx x\n")
    (tmp_path / "t.py").touch()
    (tmp_path / "lists" / "one.txt").write_text("\n\n".join(BLOCKS[mistake]) + "\n")
    lines = made.mistakes(made.mutations(tmp_path / "lists"), tmp_path)
    assert len(lines) == 1
    assert mistake in lines[0]


def test_several_lines_and_reasons_are_read(made: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("# one\nf.py\nt.py u.py\n- a\n-     b\n+ c\n= it is\n= the same\n")
    (found,) = made.mutations(tmp_path)
    assert (found.old, found.new, found.equivalent) == ("a\n    b", "c", "it is\nthe same")
    assert found.tests == ("t.py", "u.py")
    assert found.applied("x a\n    b y") == "x c y"


def test_a_block_that_is_no_mutation(made: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("one\nf.py\nt.py\n- a\n+ b\n")
    with pytest.raises(ValueError, match="no mutation"):
        made.mutations(tmp_path)
