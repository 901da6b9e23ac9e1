"""The commands and scripts of the hand-written pages run, in order, each page in a folder of its own."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest

import graphkd
from tests.test_readme import Block, blocks, few_epochs, run_shell  # noqa: F401 - a fixture

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("tutorials", "howto", "concepts")
    for path in (ROOT / "docs" / folder).glob("*.md")
)
RUNS = {page: [block for block in blocks(page) if block.language in ("python", "shell")] for page in PAGES}
SHORTEST = ("data_scientist", "engineer")
"""Pages whose commands run in the default tier; those of the others are alike."""

RUN = [
    pytest.param(page, marks=pytest.mark.slow if Path(page).stem not in SHORTEST else ())
    for page, found in RUNS.items()
    if any(not block.note for block in found)
]
NOTED = [page for page, found in RUNS.items() if any(block.note for block in found)]


def run_page(page: str, cwd: Path, noted: bool) -> int:
    """Runs the blocks of a page, in order, those with a note if asked; scripts share names, as in a notebook."""
    chosen = [block for block in RUNS[page] if noted or not block.note]
    names: dict[str, object] = {"__name__": "__main__"}
    for block in chosen:
        if block.language == "shell":
            run_shell(Block(block.note, block.language, quick(block.text)), cwd)
        else:
            exec(compile(block.text, page, "exec"), names)
    return len(chosen)


def quick(commands: str) -> str:
    """Commands that measure take the shortest time, and searches end with a run of one seed."""
    short = re.sub(r"--seconds [\d.]+", "--seconds 0.001", commands)
    return re.sub(r"(graphkd tune .*)--trials \d+", r"\1--trials 1 --seeds 1", short)


@pytest.mark.usefixtures("few_epochs")
@pytest.mark.parametrize("page", RUN)
def test_blocks_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_page(page, tmp_path, noted=False) > 0


@pytest.mark.slow
@pytest.mark.usefixtures("few_epochs")
@pytest.mark.parametrize("page", NOTED)
def test_all_blocks_run(page: str, tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(data_dir.resolve())
    assert run_page(page, tmp_path, noted=True) > 0


@pytest.mark.slow
@pytest.mark.skipif(find_spec("uvicorn") is None, reason="the server comes with the extra `serve`")
def test_the_server_of_the_tutorial_answers(tmp_path: Path) -> None:
    data = graphkd.load_dataset("digits")
    run = graphkd.distill(data, training=graphkd.Training(max_epochs=20), baseline=False)
    run.save(tmp_path / "runs" / "digits")
    (command,) = [block.text for block in blocks("docs/tutorials/engineer.md") if block.note == "runs/digits"]
    words = command.replace("--port 8000", "--port 0").split()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    server = subprocess.Popen(
        [sys.executable, "-m", *words], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        address = server.stdout.readline().split(": ")[-1].strip()
        assert len(predictions(address, data.x[:2].tolist())) == 2
    finally:
        server.terminate()
        server.wait(30)


def predictions(address: str, rows: list[list[float]]) -> list[object]:
    """What the server of the tutorial answers, as soon as it listens."""
    body = json.dumps({"rows": rows}).encode()
    request = urllib.request.Request(f"{address}/predict", body, {"Content-Type": "application/json"})
    for _ in range(100):
        try:
            with urllib.request.urlopen(request) as answer:
                return list(json.load(answer)["predictions"])
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError(f"{address} does not answer")


def test_every_page_is_in_a_table_of_contents() -> None:
    for page in PAGES:
        path = ROOT / page
        index = (path.parent / "index.md").read_text()
        assert path.name == "index.md" or f"\n{path.stem}\n" in index


@pytest.mark.parametrize("page", [*PAGES, "docs/index.md", "docs/reference/index.md"])
def test_links_between_hand_written_pages_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text):
        path = (ROOT / page).parent / target
        assert "generated/" in target or path.exists(), target
