"""The blocks of README.md and CONTRIBUTING.md run, in order, in one folder."""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

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


def run_shell(block: Block, cwd: Path) -> None:
    """Each line by the shell, ``graphkd`` and ``python`` being the ones under test, for a few epochs; make
    targets as a dry run.
    """
    for line in filter(None, map(str.strip, block.text.replace("\\\n", " ").splitlines())):
        words = shlex.split(line, comments=True)
        if words[0] == "make":
            command, folder = ["make", "--dry-run", *words[1:]], ROOT
        else:
            start = {"graphkd": [sys.executable, "-m", "graphkd"], "python": [sys.executable]}[words[0]]
            short = ["training.max_epochs=20"] if words[1] == "distill" and "max_epochs" not in line else []
            command, folder = [*start, *words[1:], *short], cwd
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("block", [block for block in SHELL if not block.note], ids=lambda block: block.text[:20])
def test_shell_blocks(block: Block, tmp_path: Path) -> None:
    run_shell(block, tmp_path)


@pytest.mark.parametrize(
    "block", [block for block in README if block.language == "python"], ids=lambda block: block.text[-30:]
)
def test_python_blocks(block: Block, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", block.text], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "student_test" in done.stdout


@pytest.mark.slow
def test_shell_blocks_that_need_data(tmp_path: Path, data_dir: Path) -> None:
    (tmp_path / "data").symlink_to(data_dir.resolve())
    for block in SHELL:
        if block.note:
            run_shell(block, tmp_path)
    assert (tmp_path / "predictions.csv").read_text().count("\n") == 2709


def test_files_that_the_documents_name_exist() -> None:
    for document in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / document).read_text()
        named = re.findall(r"\]\(([^)#:]+)\)|python (experiments/\S+\.py)", text)
        assert all((ROOT / (link or script)).exists() for link, script in named)


def test_no_document_holds_a_placeholder() -> None:
    documents = [ROOT / "README.md", *ROOT.glob("experiments/**/README.md")]
    assert not [path for path in documents if re.search(r"^[A-Z_0-9]{4,}$", path.read_text(), re.MULTILINE)]


def test_a_method_is_added_by_one_file_one_export_and_one_yaml(tmp_path: Path) -> None:
    """CONTRIBUTING's own example, in a copy of the package."""
    import shutil

    for folder in ("graphkd", "configs", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    method, config = (
        next(b for b in blocks("CONTRIBUTING.md") if b.note == note) for note in ("method", "config")
    )
    (tmp_path / "graphkd" / "methods" / "sharp.py").write_text(method.text)
    (tmp_path / "configs" / "method" / "sharp.yaml").write_text(config.text)
    init = tmp_path / "graphkd" / "methods" / "__init__.py"
    export = "\nfrom graphkd.methods.sharp import Sharp\n__all__ += ['Sharp']\n"
    init.write_text(init.read_text() + export)
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}

    def run(*args: str) -> str:
        done = subprocess.run(
            [sys.executable, *args], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "sharp     an example; no paper" in run("-m", "graphkd", "list", "methods")
    args = ["method=sharp", "method.sharpness=3", "training.max_epochs=3", "baseline=false"]
    assert "student  sharp" in run("-m", "graphkd", "distill", *args)
    contract = run(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contract", "tests/configs", "-k", "Sharp or sharp"
    )
    assert re.search(r"\d+ passed", contract)
