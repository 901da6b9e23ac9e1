"""Every file in examples/ runs as it stands."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_from_a_networkx_graph_to_predictions(capsys: pytest.CaptureFixture[str]) -> None:
    source = EXAMPLES / "networkx_graph.py"
    assert len([line for line in source.read_text().splitlines() if line.strip()]) <= 20
    names = runpy.run_path(str(source))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(names["members"]) + 1
    assert lines[0] in ("member 0: Mr. Hi", "member 0: Officer")
    assert names["model"].score(names["data"], names["truth"]) > 0.8
