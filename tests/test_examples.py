"""Every file in examples/ runs as it stands; guides show parts of them."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from graphkd.commands.predict import predict
from graphkd.deploy.exports.formats import export_bundle
from tests.deploy.batch.files import NAMES, bundle, frame, table
from tests.deploy.bundles import sample_of, student

EXAMPLES = Path(__file__).parents[1] / "examples"
DOCS = Path(__file__).parents[1] / "docs"


def test_from_a_networkx_graph_to_predictions(capsys: pytest.CaptureFixture[str]) -> None:
    source = EXAMPLES / "networkx_graph.py"
    assert len([line for line in source.read_text().splitlines() if line.strip()]) <= 20
    names = runpy.run_path(str(source))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(names["members"]) + 1
    assert lines[0] in ("member 0: Mr. Hi", "member 0: Officer")
    assert names["model"].score(names["data"], names["truth"]) > 0.8


def test_the_guide_shows_what_the_examples_do() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "batch_scoring.md").read_text(), re.DOTALL)
    sources = [(EXAMPLES / f"score_with_{name}.py").read_text() for name in ("ray", "spark")]
    assert len(blocks) == 3
    assert all(any(block in source for source in sources) for block in blocks)


def test_what_the_guides_name_exists_and_is_yaml() -> None:
    for guide in DOCS.glob("*.md"):
        text = guide.read_text()
        for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL):
            assert yaml.safe_load(block).keys() == {"apiVersion", "kind", "metadata", "spec"}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "package"), [("ray", "ray"), ("spark", "pyspark")])
def test_scoring_elsewhere_gives_what_predict_gives(tmp_path: Path, name: str, package: str) -> None:
    pytest.importorskip(package)
    frame(table(1000)).to_parquet(tmp_path / "rows.parquet")
    folder = bundle(tmp_path, NAMES)
    export_bundle(folder, "onnx", sample_of(student("none", 2, num_features=3, num_classes=2)))
    paths = [str(tmp_path / file) for file in ("bundle", "rows.parquet", "scored")]
    subprocess.run([sys.executable, str(EXAMPLES / f"score_with_{name}.py"), *paths], check=True, timeout=300)
    found = pd.concat(pd.read_parquet(file) for file in (tmp_path / "scored").glob("*.parquet"))
    predict(*paths[:2], str(tmp_path / "expected.parquet"), runtime="onnx")
    expected = pd.read_parquet(tmp_path / "expected.parquet")
    found = found.sort_values("id")
    assert found["id"].tolist() == expected["id"].tolist()
    assert found["name"].tolist() == expected["name"].tolist()
    np.testing.assert_allclose(found["probability"], expected["probability"], rtol=1e-6)
