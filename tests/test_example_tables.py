"""The example of a raw table: its files, its two lines, and the same table prepared by hand."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

import graphkd
from tests.deploy.server.serving import ask, in_thread

EXAMPLES = Path(__file__).parents[1] / "examples"
FOLDER = EXAMPLES / "visitors"


def test_the_example_s_files_are_those_that_its_script_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["make.py", str(tmp_path)])
    runpy.run_path(str(FOLDER / "make.py"))
    for name in ("nodes.csv", "edges.csv"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()


def test_the_table_has_every_kind_of_column() -> None:
    data = graphkd.load_dataset("custom", path=FOLDER)
    kinds = {"score": "number", "income": "number", "city": "category", "newsletter": "boolean", "joined": "date"}
    assert data.column_encoding.kinds == kinds
    assert data.num_nodes == 2000
    assert {"score_missing", "income_missing", "city=unknown"} < {*data.feature_names}


def by_hand(nodes: pd.DataFrame, train: np.ndarray) -> np.ndarray:
    """Features as a user of scikit-learn prepares them."""
    number = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    day = FunctionTransformer(lambda texts: texts.apply(pd.to_datetime).astype("int64") / 1e9 / 86400)
    category = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="none"), OneHotEncoder(handle_unknown="ignore")
    )
    transformer = ColumnTransformer(
        [
            ("numbers", number, ["score", "income"]),
            ("texts", category, ["city"]),
            ("booleans", "passthrough", ["newsletter"]),
            ("dates", make_pipeline(day, StandardScaler()), ["joined"]),
        ],
        sparse_threshold=0.0,
    )
    return np.asarray(transformer.fit(nodes.iloc[train]).transform(nodes), dtype=np.float32)


@pytest.mark.slow
def test_two_lines_are_within_one_point_of_features_prepared_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / "mixed_table.py"))
    assert "joined: date, days standardised" in capsys.readouterr().out
    nodes, edges = pd.read_csv(FOLDER / "nodes.csv"), pd.read_csv(FOLDER / "edges.csv")
    scores = []
    for seed in range(3):
        data = graphkd.from_frames(nodes, edges, id="id", label="label", seed=seed)
        features = by_hand(nodes, data.train_mask.numpy().nonzero()[0])
        other = graphkd.from_frames(nodes, edges, id="id", label="label", features=features, seed=seed)
        runs = [graphkd.distill(each, baseline=False, seed=seed) for each in (data, other)]
        scores.append([run.metrics["mean"]["student_test"] for run in runs])
    ours, theirs = np.mean(scores, axis=0)
    assert ours > 0.8
    assert ours > theirs - 0.01, scores


@pytest.mark.slow
def test_every_runtime_and_the_server_give_the_same_answers_to_raw_rows_by_name(tmp_path: Path) -> None:
    nodes, edges = pd.read_csv(FOLDER / "nodes.csv"), pd.read_csv(FOLDER / "edges.csv")
    data = graphkd.from_frames(nodes, edges, id="id", label="label")
    run = graphkd.distill(data, baseline=False, training=graphkd.Training(max_epochs=20))
    run.save(tmp_path / "run")
    for kind in ("onnx", "c"):
        run.export(tmp_path / "run", kind)
    raw = nodes.drop(columns=["id", "label"]).iloc[:50].astype(object)
    rows = [dict(reversed(row.items())) for row in raw.where(raw.notna(), None).to_dict("records")]
    rows[0]["city"] = "Atlantis"  # no training row has it
    rows[1] |= {"score": None, "income": None, "joined": None}
    expected = graphkd.load_bundle(tmp_path / "run").predict_proba(rows)
    for runtime in ("numpy", "native", "onnx"):
        found = graphkd.load_bundle(tmp_path / "run", runtime).predict_proba(rows)
        np.testing.assert_allclose(found, expected, atol=1e-5)
    with in_thread(tmp_path / "run" / "bundle") as port:
        answer = ask(port, "/predict", {"rows": rows})
    assert answer.status == 200, answer.body
    served = [each["probabilities"] for each in answer.json["predictions"]]
    np.testing.assert_allclose(served, expected, atol=1e-5)
