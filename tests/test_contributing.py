"""The parts in CONTRIBUTING.md keep their promises and pass the project's own lint."""

import importlib.util
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from graphkd.methods import Method
from graphkd.runs import SeedRun
from graphkd.spec import resolve
from graphkd.testing import METHOD_CHECKS
from graphkd.testing.graphs import small_graph
from graphkd.training.settings import Training

ROOT = Path(__file__).parents[1]
KINDS = {"refolded": "DrawnEdges", "live": "Smooth", "several": "Committee"}
TERM = "UniformLabels"


def block(kind: str) -> str:
    """The whole file that stands after the comment with this name."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    found = re.search(rf"<!-- test: {kind} -->\n```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found.group(1)


def made_of(kind: str, name: str, folder: Path) -> Any:
    file = folder / f"example_{kind}.py"
    file.write_text(block(kind))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


def method_of(kind: str, folder: Path) -> type[Method]:
    made: type[Method] = made_of(kind, KINDS[kind], folder)
    return made


def test_the_term_is_added_to_the_loss_of_a_method(tmp_path: Path) -> None:
    term = made_of("term", TERM, tmp_path)(weight=0.5)
    run = SeedRun.train(small_graph(), resolve(term=term, training=Training(max_epochs=2)), 0)
    record = run.log[-1]
    assert record["loss"] == pytest.approx(record["method"] + 0.5 * record["uniform_labels"], rel=1e-6)
    assert record["uniform_labels"] > 0


@pytest.mark.parametrize("check", METHOD_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_it_keeps_its_promise(kind: str, check, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if check.__name__ == "resumes_with_the_same_bits" and "slow" not in request.config.option.markexpr:
        pytest.skip("takes seconds")
    check(method_of(kind, tmp_path))


@pytest.mark.skipif(find_spec("ruff") is None, reason="ruff comes with the extra `lint`")
@pytest.mark.parametrize("kind", [*KINDS, "term"])
def test_it_passes_the_project_s_lint(kind: str, tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(block(kind))
    config = str(ROOT / "pyproject.toml")
    for args in (["check", "--config", config], ["format", "--check", "--config", config]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *args, str(tmp_path / "example.py")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
