import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import graphkd
from graphkd import GraphKDError
from graphkd.cli import RUNTIMES, main
from graphkd.commands.export import export
from graphkd.commands.predict import predict
from graphkd.deploy import RUNTIMES as KNOWN
from graphkd.deploy.batch.default import default_runtime
from graphkd.deploy.files import read_bundle
from tests.commands.runs import SHORT
from tests.conftest import make_data
from tests.datasets.planetoid_files import NUM_NODES
from tests.deploy.batch.files import NAMES, bundle, frame, table, with_nan
from tests.spellings import spellings


def test_predict_on_the_run_s_own_graph_propagates_by_itself(run: Path, tmp_path: Path) -> None:
    predict(str(run), "graph", str(tmp_path / "p.npy"))
    data = graphkd.load_dataset("cora", tmp_path / "data", download="never")
    ids = np.arange(NUM_NODES)
    np.savez(tmp_path / "rows.npz", x=data.x.to_dense().numpy(), edge_index=data.edge_index.numpy(), ids=ids)
    export(str(run), "c", True, None)
    for runtime in (None, "native"):
        predict(str(run), str(tmp_path / "rows.npz"), str(tmp_path / "q.npy"), runtime=runtime)
        own = np.load(tmp_path / "p.npy")
        assert own.shape == (NUM_NODES, 3)
        np.testing.assert_allclose(own, np.load(tmp_path / "q.npy"), atol=1e-6)
    predict(str(run), str(tmp_path / "rows.npz"), str(tmp_path / "q.parquet"))
    found = pd.read_parquet(tmp_path / "q.parquet")
    assert found["id"].tolist() == ids.tolist()
    np.testing.assert_allclose(found.filter(like="p_"), own, atol=1e-6)


def test_predict_refuses_rows_without_their_graph_and_writes_nothing(run: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", np.ones((2, 12), dtype=np.float32))
    with pytest.raises(GraphKDError, match="give the word graph"):
        predict(str(run), str(tmp_path / "rows.npy"), str(tmp_path / "p.csv"))
    for more in ({"rejects": "bad.csv"}, {"row_id": "key"}):
        with pytest.raises(GraphKDError, match="--rejects, --id and --no-header are for rows"):
            predict(str(run), "graph", str(tmp_path / "p.csv"), **more)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data", "rows.npy", "run"]


def test_a_run_on_data_in_memory_can_predict_rows_but_not_its_graph(tmp_path: Path) -> None:
    graphkd.distill(make_data(), training=SHORT).save(tmp_path / "run")
    np.save(tmp_path / "rows.npy", make_data().x.numpy())
    predict(str(tmp_path / "run"), str(tmp_path / "rows.npy"), str(tmp_path / "p.csv"))
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 61
    with pytest.raises(GraphKDError, match="was trained on data in memory"):
        predict(str(tmp_path / "run"), "graph", str(tmp_path / "p.csv"))


def test_the_columns_of_a_person_s_table_are_asked_for_by_name(tmp_path: Path) -> None:
    nodes = pd.DataFrame(make_data().x.numpy()[:, :3], columns=NAMES).assign(kind=["oak", "elm"] * 30)
    data = graphkd.from_frames(nodes, pd.DataFrame({"source": [0], "target": [1]}), label="kind", columns="none")
    run = graphkd.distill(data, training=SHORT)
    run.save(tmp_path / "run")
    model = graphkd.load_bundle(tmp_path / "run")
    assert model.feature_names == run.predictor.feature_names == NAMES
    nodes[["age", "height", "girth"]].to_parquet(tmp_path / "rows.parquet")
    predict(str(tmp_path / "run"), str(tmp_path / "rows.parquet"), str(tmp_path / "p.parquet"), runtime="torch")
    expected = model.predict_proba(nodes[NAMES].to_numpy())
    np.testing.assert_allclose(pd.read_parquet(tmp_path / "p.parquet").filter(like="p_"), expected)
    data.feature_names = ["height"]
    with pytest.raises(GraphKDError, match=r"data\.feature_names must be a list of 3 different names"):
        graphkd.distill(data, training=SHORT)


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x = with_nan(table())
    folder = bundle(tmp_path, NAMES)
    frame(x).rename(columns={"id": "tree"}).to_parquet(tmp_path / "in.parquet")
    args = ["predict", str(folder), str(tmp_path / "in.parquet"), str(tmp_path / "out.csv"), "--runtime", "numpy"]
    bad = str(tmp_path / "bad.csv")
    mistakes = {
        (
            "--id",
            "tree",
        ): "in.parquet row 5 (from 0): column 'girth' holds NaN or nothing; correct it, or",
        ("--id", "tree", "--rejects", str(tmp_path / "bad.txt")): "bad.txt ends in '.txt': it is written as .csv",
        ("--id", "tree", "--rejects", str(tmp_path / "out.csv")): "is also the input or the output",
    }
    assert main(args) == 2
    warned, error = capsys.readouterr().err.splitlines()
    assert "has columns that are no features of the student and are ignored: 'tree'" in warned
    assert "column 'girth' holds NaN or nothing" in error
    for more, message in mistakes.items():
        assert main([*args, *more]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    assert main(["predict", str(folder), str(tmp_path / "in.parquet"), str(tmp_path / "in.parquet")]) == 2
    assert "in.parquet is also the input: choose another output" in capsys.readouterr().err
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bundle", "in.parquet"]
    assert main([*args, "--id", "tree", "--rejects", bad]) == 0
    assert capsys.readouterr().out == f"22 predictions: {tmp_path / 'out.csv'}\n3 rows rejected: {bad}\n"
    assert (tmp_path / "bad.csv").read_text().splitlines()[1] == "5,005,column 'girth' holds NaN or nothing"
    assert set(RUNTIMES) == set(KNOWN)


def test_the_default_runtime_is_the_fastest_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = graphkd.distill(make_data(), training=SHORT)
    run.save(tmp_path / "run")
    assert default_runtime(read_bundle(tmp_path / "run")) == "torch"
    run.export(tmp_path / "run", "c", allow_loss=True)
    assert default_runtime(read_bundle(tmp_path / "run")) == "native"
    monkeypatch.setenv("CC", "no-such-compiler -O3")
    assert default_runtime(read_bundle(tmp_path / "run")) == "torch"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert default_runtime(read_bundle(tmp_path / "run")) == "numpy"


def test_a_machine_that_scores_needs_no_torch(tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", table())
    bundle(tmp_path)
    program = """
import sys
for name in ("torch", "torch_geometric", "tqdm", "pandas", "omegaconf"):
    sys.modules[name] = None
from graphkd.cli import main
sys.exit(main(["predict", "bundle", "in.npy", "out.csv", "--runtime", "numpy"]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("25 predictions: out.csv\n", "")
    assert torch.isfinite(torch.tensor(pd.read_csv(tmp_path / "out.csv")["probability"])).all()


def test_no_spelling_of_its_input_or_output_is_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    file, folder = tmp_path / "a" / "in.csv", str(bundle(tmp_path))
    frame(table()).to_csv(file, index=False)
    content = file.read_bytes()
    for name in spellings(file):
        for args in ((name, "in.csv"), ("in.csv", name), (name, "out.csv", "--rejects", str(file))):
            assert main(["predict", folder, *args]) == 2
        assert main(["predict", folder, "in.csv", "out.csv", "--rejects", name]) == 2
        said = capsys.readouterr().err.splitlines()
        assert len(said) == 4
        assert all("is also the input" in line for line in said)
        assert file.read_bytes() == content
        assert not Path("out.csv").exists()
    rejects = (f"{tmp_path}/a/out.csv", "./out.csv", "sub/../out.csv", "folder/out.csv", "sub/up/out.csv")
    for name in rejects:
        assert main(["predict", folder, "in.csv", "out.csv", "--rejects", name]) == 2
        assert "is also the input or the output" in capsys.readouterr().err
    assert main(["predict", folder, "in.csv", "sub/out.csv", "--rejects", "out.csv", "--runtime", "numpy"]) == 0
    assert file.read_bytes() == content


def test_the_files_of_a_run_s_own_graph_are_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    data = make_data()
    nodes = pd.DataFrame(data.x.numpy(), columns=[f"f{i}" for i in range(data.x.shape[1])])
    masks = {f"{part}_mask": data[f"{part}_mask"].numpy() for part in ("train", "val", "test")}
    nodes.assign(label=data.y.numpy(), **masks).to_csv(own / "nodes.csv", index=False)
    pd.DataFrame(data.edge_index.T.numpy(), columns=["source", "target"]).to_csv(own / "edges.csv", index=False)
    run, keys = str(tmp_path / "run"), ["dataset=custom", f"dataset.path={own}", "training.max_epochs=2"]
    assert main(["distill", *keys, f"output_dir={run}"]) == 0
    content = {file: file.read_bytes() for file in own.iterdir()}
    (tmp_path / "link.csv").symlink_to(own / "edges.csv")
    for name in ("own/nodes.csv", "own/../own/edges.csv", "link.csv"):
        assert main(["predict", run, "graph", str(tmp_path / name)]) == 2
        assert "is also the input: choose another output" in capsys.readouterr().err
    assert main(["predict", run, "graph", str(own / "p.csv")]) == 0
    assert {file: file.read_bytes() for file in content} == content
