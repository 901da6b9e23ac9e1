"""The blocks of README.md and CONTRIBUTING.md run, in order, in one folder."""

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from graphkd import Training
from graphkd.links import LinkTraining
from tests.test_cli import command

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"(?:<!-- (\w+): (.*?) -->\s*)?```(\w+)\n(.*?)```", re.DOTALL)


@dataclass
class Block:
    note: str
    language: str
    text: str


def blocks(document: str) -> list[Block]:
    """Fenced blocks, indentation of list items taken off; the comment before a block says what it needs."""
    text = re.sub(r"^ {3}", "", (ROOT / document).read_text(), flags=re.MULTILINE)
    return [Block(note or "", language, body) for _, note, language, body in BLOCK.findall(text)]


README = blocks("README.md")
SHELL = [block for block in README if block.language == "shell"]


@pytest.fixture
def few_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a block asks for: what it does is tested elsewhere, here that it runs."""
    for kind in (Training, LinkTraining):

        def shorten(training: Any, check: Any = kind.__post_init__) -> None:
            check(training)
            object.__setattr__(training, "max_epochs", min(training.max_epochs, 5))

        monkeypatch.setattr(kind, "__post_init__", shorten)


def run_python(text: str) -> str:
    """Runs a script in this process, which saves importing torch; returns what it prints."""
    out = io.StringIO()
    with redirect_stdout(out):
        exec(compile(text, "<README.md>", "exec"), {"__name__": "__main__"})
    return out.getvalue()


def run_shell(block: Block, cwd: Path) -> None:
    """Runs each line, ``graphkd`` and ``python`` in this process; make targets as a dry run."""
    for line in filter(None, map(str.strip, block.text.replace("\\\n", " ").splitlines())):
        words = shlex.split(line, comments=True)
        if words[:2] == ["python", "-c"]:
            run_python(words[2])
            continue
        if words[0] == "make":
            done = subprocess.run(["make", "--dry-run", *words[1:]], cwd=ROOT, capture_output=True, text=True)
        else:
            assert words[0] == "graphkd", line
            done = command(*words[1:], cwd=cwd)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


@pytest.mark.usefixtures("few_epochs")
@pytest.mark.parametrize(
    "block",
    [
        pytest.param(block, marks=pytest.mark.slow if "-m " in block.text else ())  # several runs
        for block in SHELL
        if not block.note
    ],
    ids=lambda block: block.text[:20],
)
def test_shell_blocks(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_shell(block, tmp_path)


@pytest.mark.usefixtures("few_epochs")
@pytest.mark.parametrize(
    "block", [block for block in README if block.language == "python"], ids=lambda block: block.text[-30:]
)
def test_python_blocks(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "student  glnn" in run_python(block.text)


def test_it_fits_on_a_page() -> None:
    assert (ROOT / "README.md").stat().st_size <= 5000


def test_files_that_the_documents_name_exist() -> None:
    for document in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / document).read_text()
        named = re.findall(r"\]\(([^)#:]+)\)|python (experiments/\S+\.py)", text)
        assert all((ROOT / (link or script)).exists() for link, script in named)


def test_no_document_holds_a_placeholder() -> None:
    documents = [ROOT / "README.md", *ROOT.glob("experiments/**/README.md")]
    assert not [path for path in documents if re.search(r"^[A-Z_0-9]{4,}$", path.read_text(), re.MULTILINE)]


ADDED = """
import sys
import pytest
from graphkd.cli import main
assert main(["list", "methods"]) == 0
keys = ["method=sharp", "method.sharpness=3", "training.max_epochs=3", "baseline=false"]
assert main(["distill", *keys]) == 0
quiet = ["-p", "no:cacheprovider", "-k", "Sharp or sharp"]
sys.exit(pytest.main([*quiet, "tests/contract/test_methods.py", "tests/configs/test_configs.py"]))
"""


@pytest.fixture
def added(tmp_path: Path) -> Path:
    """A copy of the package to which CONTRIBUTING's own example was added."""
    for folder in ("graphkd", "configs", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    method, config = (
        next(b for b in blocks("CONTRIBUTING.md") if b.note == note) for note in ("method", "config")
    )
    (tmp_path / "graphkd" / "methods" / "sharp.py").write_text(method.text)
    (tmp_path / "configs" / "method" / "sharp.yaml").write_text(config.text)
    init = tmp_path / "graphkd" / "methods" / "__init__.py"
    export = "\nfrom graphkd.methods.sharp import Sharp\n__all__ += ['Sharp']\n"
    init.write_text(init.read_text() + export)
    return tmp_path


def run(*args: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, *args],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(cwd)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_method_is_added_by_one_file_one_export_and_one_yaml(added: Path) -> None:
    printed = run("-c", ADDED, cwd=added)
    needs = "sharp teacher student reads x no edges in a step loss N C an example; no paper"
    assert needs in " ".join(printed.split())
    assert "student  sharp" in printed
    assert re.search(r"\d+ passed", printed)


@pytest.mark.skipif(find_spec("ruff") is None, reason="ruff comes with the extra `lint`")
def test_the_method_that_is_added_is_as_the_lint_wants_it(added: Path) -> None:
    file = "graphkd/methods/sharp.py"
    run("-m", "ruff", "check", file, cwd=added)
    run("-m", "ruff", "format", "--check", file, cwd=added)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy comes with the extra `lint`")
def test_the_method_that_is_added_has_types(added: Path) -> None:
    run("-m", "mypy", "graphkd/methods/sharp.py", cwd=added)
