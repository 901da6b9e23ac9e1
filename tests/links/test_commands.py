"""A run of links through the commands, from a user's folder without labels."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import graphkd
from graphkd.cli import main
from graphkd.links import LinkPredictor
from graphkd.runs import read_config
from tests.links.conftest import community_graph

SHORT = ("training.max_epochs=3", "teacher.hidden_dim=8", "student.hidden_dim=8", "decoder=dot", "decoder.dim=4")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nodes with names and columns, edges, and no labels."""
    path, data = tmp_path_factory.mktemp("graph"), community_graph(60)
    names = [f"n{row:02}" for row in range(60)]
    columns = {f"c{column}": data.x[:, column].tolist() for column in range(data.x.shape[1])}
    pd.DataFrame({"id": names, **columns}).to_csv(path / "nodes.csv", index=False)
    source, target = ([names[node] for node in ends] for ends in data.edge_index.tolist())
    pd.DataFrame({"source": source, "target": target}).to_csv(path / "edges.csv", index=False)
    return path


def arguments(folder: Path, run: Path, *more: str) -> list[str]:
    return [
        *("distill", "dataset=custom", f"dataset.path={folder}", "dataset.task=link", f"output_dir={run}"),
        *(*SHORT, *more),
    ]


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "llp"
    assert main(arguments(folder, path, "method=llp", "teacher=sage", "seeds=2")) == 0
    return path


def test_what_a_run_records(run: Path, folder: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    assert (metrics["task"], metrics["metric"], metrics["split"]) == ("link", "roc_auc", "edges")
    assert [metrics[key] for key in ("teacher", "student", "method", "decoder")] == ["sage", "mlp", "llp", "dot"]
    for seed in metrics["seeds"]:
        assert {"val", "test", "test_hits@20", "test_mrr", "test_ap"} <= set(seed["student"])
        assert {"teacher", "mlp"} <= set(seed)
    assert metrics["mean"]["student_test"] == pytest.approx(
        np.mean([s["student"]["test"] for s in metrics["seeds"]])
    )
    assert read_config(run)["dataset"]["path"] == str(folder)
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert {row["stage"] for row in log} == {"teacher", "student", "mlp"}
    assert len(log) == 2 * 3 * 3


def test_it_is_evaluated_to_the_recorded_scores(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(run), "--output", str(tmp_path / "scores")]) == 0
    recorded = json.loads((run / "metrics.json").read_text())["seeds"]
    found = pd.read_csv(tmp_path / "scores" / "scores.csv")
    assert found["test"].tolist() == pytest.approx([seed["student"]["test"] for seed in recorded], abs=1e-6)
    assert "Hits@20 %" in capsys.readouterr().out


def test_a_folder_without_labels_gives_ids_and_columns_by_name(run: Path, folder: Path) -> None:
    model = graphkd.load_bundle(run)
    assert isinstance(model, LinkPredictor)
    assert model.nodes.named([0, 59]) == ["n00", "n59"]
    nodes = pd.read_csv(folder / "nodes.csv")
    shuffled = nodes[[*reversed(nodes.columns)]]
    torch.testing.assert_close(model.embed(shuffled), model.table, atol=1e-5, rtol=1e-5)
    with pytest.raises(graphkd.GraphKDError, match="reads columns by name"):
        model.embed(nodes.drop(columns="id").to_numpy())


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_pairs_of_a_file_are_scored(run: Path, tmp_path: Path, kind: str) -> None:
    pairs = pd.DataFrame({"target": ["n03", "n01"], "note": ["x", "y"], "source": ["n00", "n59"]})
    source, target = tmp_path / f"pairs.{kind}", tmp_path / f"scores.{kind}"
    pairs.to_csv(source, index=False) if kind == "csv" else pairs.to_parquet(source)
    assert main(["predict", str(run), str(source), str(target)]) == 0
    found = pd.read_csv(target) if kind == "csv" else pd.read_parquet(target)
    assert found.columns.tolist() == ["source", "target", "score", "probability"]
    assert found[["source", "target"]].to_numpy().tolist() == [["n00", "n03"], ["n59", "n01"]]
    scores = graphkd.load_bundle(run).score([[0, 3], [59, 1]])
    assert found["score"].tolist() == pytest.approx(scores.tolist(), abs=1e-6)
    assert found["probability"].tolist() == pytest.approx(scores.sigmoid().tolist(), abs=1e-6)


def test_new_partners_of_every_node(run: Path, folder: Path, tmp_path: Path) -> None:
    assert main(["predict", str(run), "graph", str(tmp_path / "top.csv"), "--top-k", "3"]) == 0
    found = pd.read_csv(tmp_path / "top.csv")
    edges = pd.read_csv(folder / "edges.csv")
    known = set(zip(edges["source"], edges["target"], strict=True))
    assert len(found) == 60 * 3
    assert not known & set(zip(found["source"], found["target"], strict=True))
    assert found["rank"].tolist() == [1, 2, 3] * 60
    model = graphkd.load_bundle(run)
    out = [int(name[1:]) for other, name in known if other == "n07"]
    scores, nodes = model.top_k(7, 3, out)
    own = found[found["source"] == "n07"]
    assert own["target"].tolist() == model.nodes.named(nodes)
    assert own["score"].tolist() == pytest.approx(scores.tolist(), abs=1e-5)


@pytest.mark.slow
def test_more_seeds_go_on_and_a_killed_run_ends_with_the_same_bits(
    run: Path, folder: Path, tmp_path: Path
) -> None:
    common = ("method=llp", "teacher=sage")
    assert main(arguments(folder, tmp_path / "run", *common)) == 0
    assert main(arguments(folder, tmp_path / "run", *common, "seeds=2")) == 0
    for name in ("model", "embeddings"):
        file = Path("bundle") / f"{name}.safetensors"
        assert (tmp_path / "run" / file).read_bytes() == (run / file).read_bytes(), name


@pytest.mark.parametrize("setting", ["production", "cold_start"])
def test_settings_with_hidden_nodes(folder: Path, tmp_path: Path, setting: str) -> None:
    more = (f"setting={setting}", "dataset.columns=none", "method=glnn", "teacher=aa")
    given = [part for part in arguments(folder, tmp_path / "run", *more) if not part.startswith("teacher.")]
    assert main(given) == 0
    (seed,) = json.loads((tmp_path / "run" / "metrics.json").read_text())["seeds"]
    assert ("test_ind" in seed["student"]) == (setting == "production")


WRONG = {
    "method": (("method=krd",), "method=krd is for labels of nodes: choose llp, glnn or mlp for links"),
    "encoder": (("encoder=positions",), "encoder=positions is for labels of nodes: leave it out for links"),
    "matching": (("matching=forward",), "matching=forward is for labels of nodes"),
    "influence": (("influence=degree",), "influence is for labels of nodes"),
    "training": (("training.metric=accuracy",), "training.metric is for labels of nodes"),
    "student": (("student=ensemble",), "student must be mlp"),
    "vqgraph": (("teacher=vqgraph",), "teacher=vqgraph has a loss of its own"),
    "device": (("device=cuda",), "device is not for links"),
    "teacher": (("save_teacher=true",), "save_teacher is not for links"),
    "labels": (("dataset.label_rate=0.5",), "dataset.label_rate, imbalance, long_tail are of labels"),
    "tracker": (("tracker=tensorboard",), "tracker is for runs of nodes"),
    "columns": (("setting=inductive",), "the columns of this table were scaled by all nodes"),
    "no task": (("dataset.task=multiclass", "method=llp"), "method=llp is for links: add dataset.task=link"),
    "heuristic": (("dataset.task=multiclass", "teacher=aa"), "teacher=aa is for links"),
    "decoder": (("dataset.task=multiclass",), "decoder is for links: add dataset.task=link"),
}


OFTEN = ("method", "training", "columns", "no task", "heuristic")
"""Cases of the default tier."""


@pytest.mark.parametrize(
    "case", [case if case in OFTEN else pytest.param(case, marks=pytest.mark.slow) for case in WRONG]
)
def test_what_makes_no_sense_is_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    changed, message = WRONG[case]
    groups = {part.partition("=")[0] for part in changed}
    given = [part for part in arguments(folder, tmp_path / "run") if part.partition("=")[0] not in groups]
    if "teacher" in groups or "student" in groups:
        given = [part for part in given if not part.startswith(("teacher.", "student."))]
    assert main([*given, *changed]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "run").exists()


ARGUMENTS = {
    "unknown node": (["predict", "RUN", "PAIRS", "OUT"], "target: 'nobody' is no node of this model"),
    "no column": (["predict", "RUN", "ENDS", "OUT"], "has no column 'source', but from"),
    "no file": (["predict", "RUN", "missing.csv", "OUT"], "missing.csv is no file"),
    "kind": (["predict", "RUN", "PAIRS", "scores.npy"], "it is written as .csv or .parquet"),
    "runtime": (["predict", "RUN", "PAIRS", "OUT", "--runtime", "numpy"], "--runtime is for students of nodes"),
    "top k": (["predict", "RUN", "PAIRS", "OUT", "--top-k", "3"], "give the word graph as the input"),
    "no partner": (["predict", "RUN", "graph", "OUT", "--top-k", "0"], "--top-k is 0"),
    "export": (["export", "RUN", "--to", "c"], "are exported as onnx alone"),
    "store": (["store", "RUN", "graph", "DIR"], "scores pairs of nodes, and this needs a student of nodes"),
    "angles": (["angles", "RUN"], "dataset.task=link is for graphkd distill"),
    "serve": (["serve", "RUN", "--runtime", "onnx"], "--runtime is for students of nodes"),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_what_a_run_of_links_does_not_do_is_one_line(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    given, message = ARGUMENTS[case]
    (tmp_path / "pairs.csv").write_text("source,target\nn01,nobody\n")
    (tmp_path / "ends.csv").write_text("from,to\nn01,n02\n")
    places = {
        "RUN": run,
        "PAIRS": tmp_path / "pairs.csv",
        "ENDS": tmp_path / "ends.csv",
        "OUT": tmp_path / "out.csv",
        "DIR": tmp_path / "store",
    }
    assert main([str(places.get(part, part)) for part in given]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out.csv").exists()


def test_a_damaged_bundle_is_one_line(run: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(run / "bundle", bundle)
    (bundle / "nodes.json").write_text((bundle / "nodes.json").read_text().replace("n00", "n99"))
    with pytest.raises(graphkd.GraphKDError, match=r"nodes\.json"):
        graphkd.load_bundle(bundle)


def test_it_is_timed(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(
            [
                "bench",
                str(run),
                "--seconds",
                "0.001",
                "--json",
                str(tmp_path / "b.json"),
                "--plot",
                str(tmp_path / "b.png"),
            ]
        )
        == 0
    )
    table = capsys.readouterr().out
    assert "top_k of one node" in table
    assert "teacher sage: score of one pair" in table
    assert json.loads((tmp_path / "b.json").read_text())["nodes"] == 60


@pytest.mark.slow
def test_it_is_exported_as_onnx(run: Path, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    shutil.copytree(run, tmp_path / "run")
    assert main(["export", str(tmp_path / "run"), "--to", "onnx"]) == 0
    model = graphkd.load_bundle(tmp_path / "run")
    embed = onnxruntime.InferenceSession(tmp_path / "run" / "bundle" / "embed.onnx")
    score = onnxruntime.InferenceSession(tmp_path / "run" / "bundle" / "score.onnx")
    data = graphkd.load_dataset("custom", path=read_config(run)["dataset"]["path"], task="link")
    (table,) = embed.run(None, {"rows": data.x.numpy()})
    np.testing.assert_allclose(table, model.table.numpy(), atol=1e-5)
    (found,) = score.run(None, {"u": table[:5], "v": table[5:10]})
    pairs = [[row, row + 5] for row in range(5)]
    np.testing.assert_allclose(found, model.score(pairs).numpy(), atol=1e-5)


def test_a_report_states_it(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(run)]) == 0
    assert "roc_auc" in capsys.readouterr().out
    view = graphkd.load_run(run)
    assert isinstance(view.predictor, LinkPredictor)
    assert set(view.scores["model"]) == {"teacher", "mlp", "student"}
