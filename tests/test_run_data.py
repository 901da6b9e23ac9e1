"""Every command that goes back to a run's data refuses other data than the run was trained on."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import graphkd
from graphkd import GraphKDError
from graphkd.cli import main
from graphkd.datasets import Graph
from graphkd.run_data import load_run_data
from tests.commands.runs import SHORT
from tests.datasets.npz_files import splits_arrays, write
from tests.tiers import some_of

BACK = {
    "predict": ["predict", "run", "graph", "out.csv"],
    "store": ["store", "run", "graph", "rows"],
    "export": ["export", "run", "--to", "c"],
    "angles": ["angles", "run"],
    "bench": ["bench", "run"],
    "evaluate": ["evaluate", "run"],
}
REFUSED = "was trained on other data than custom holds now, since features, edges, labels or masks were changed"


def write_graph(folder: Path, **changes: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    x = rng.normal(size=(60, 5)).astype(np.float32)
    x[np.arange(60), y] += 2
    folder.mkdir(exist_ok=True)
    arrays = {"x": x, "y": y, "edge_index": rng.integers(0, 60, (2, 150))}
    np.savez(folder / "graph.npz", **arrays | changes)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds, the first of which is not the best, so that its bundle is that of the other."""
    folder = tmp_path_factory.mktemp("own")
    write_graph(folder / "data")
    args = ["dataset=custom", f"dataset.path={folder}/data", "method=infgrand", "seeds=[0,1]", "baseline=false"]
    places = [f"output_dir={folder}/run", f"cache_dir={folder}/cache"]
    assert main(["distill", *args, *places, "training.max_epochs=3"]) == 0
    return folder


@pytest.mark.parametrize("change", ["x", "y", "edge_index"])
@pytest.mark.parametrize("command", some_of(BACK, 3))
def test_an_edited_file_is_refused(
    place: Path, command: str, change: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    write_graph(place / "data")
    with np.load(place / "data" / "graph.npz") as arrays:
        edited = arrays[change].copy()
    edited[(0,) * edited.ndim] += 1
    write_graph(place / "data", **{change: edited})
    before = sorted(place.rglob("*"))
    assert main(BACK[command]) == 2
    said = capsys.readouterr()
    assert REFUSED in said.err
    assert said.err.count("\n") == 1
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize("seed", [0, 1])
def test_of_every_seed_s_split_the_same_data(place: Path, seed: int) -> None:
    write_graph(place / "data")
    assert load_run_data(place / "run", seed, None).num_nodes == 60


def test_masks_in_a_file_are_the_run_s_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    part = np.arange(60) // 20
    masks = {f"{name}_mask": part == at for at, name in enumerate(("train", "val", "test"))}
    write_graph(tmp_path / "data", **masks)
    args = ["dataset=custom", f"dataset.path={tmp_path}/data", "baseline=false", "training.max_epochs=2"]
    assert main(["distill", *args, f"output_dir={tmp_path}/run", f"cache_dir={tmp_path}/cache"]) == 0
    masks["train_mask"], masks["val_mask"] = masks["val_mask"], masks["train_mask"]
    write_graph(tmp_path / "data", **masks)
    assert main(["evaluate", str(tmp_path / "run")]) == 2
    assert REFUSED in capsys.readouterr().err


def test_stored_splits_of_later_seeds_are_no_other_data(tmp_path: Path) -> None:
    write(tmp_path / "minesweeper" / "raw" / "minesweeper.npz", splits_arrays())
    args = [f"data_dir={tmp_path}", f"output_dir={tmp_path}/run", "seeds=[3,4]", "baseline=false"]
    assert main(["distill", "dataset=minesweeper", "training.max_epochs=2", *args]) == 0
    for seed in (3, 4):
        load_run_data(tmp_path / "run", seed, None)
    arrays = splits_arrays()
    arrays["node_labels"] = 1 - arrays["node_labels"]
    write(tmp_path / "minesweeper" / "raw" / "minesweeper.npz", arrays)
    with pytest.raises(GraphKDError, match="was trained on other data than minesweeper holds now"):
        load_run_data(tmp_path / "run", 4, None)


def test_a_table_that_was_edited_is_refused(tmp_path: Path) -> None:
    nodes = pd.DataFrame({"label": np.arange(30) % 2, "size": np.arange(30.0)})
    edges = pd.DataFrame({"source": range(29), "target": range(1, 30), "weight": 1.0})
    nodes.to_csv(tmp_path / "nodes.csv", index=False)
    edges.to_csv(tmp_path / "edges.csv", index=False)
    data = graphkd.load_dataset("custom", path=tmp_path)
    graphkd.distill(data, training=SHORT, baseline=False).save(tmp_path / "run")
    load_run_data(tmp_path / "run", 0, None)
    edges.assign(weight=2.0).to_csv(tmp_path / "edges.csv", index=False)
    with pytest.raises(GraphKDError, match="was trained on other data"):
        load_run_data(tmp_path / "run", 0, None)


def test_data_changed_in_memory_is_not_taken_for_what_was_loaded(tmp_path: Path) -> None:
    data = graphkd.load_dataset("digits")
    data.x = (data.x.max() - data.x) * 3
    with pytest.warns(UserWarning, match="of digits were changed after it was loaded"):
        run = graphkd.distill(data, training=SHORT, baseline=False)
    run.save(tmp_path / "run")
    assert (run.metrics["dataset"], run.metrics["split"]) == ("custom", "masks")
    with pytest.raises(GraphKDError, match="was trained on data in memory"):
        load_run_data(tmp_path / "run", 0, None)


def test_runs_of_version_0_1_are_read_and_go_on(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_graph(place / "data")
    file = place / "run" / "config.yaml"
    config = yaml.safe_load(file.read_text())
    old = config["dataset"]
    graph = Graph.from_data(graphkd.load_dataset("custom", path=place / "data", seed=0))
    del old["split_fingerprint"]
    old["fingerprint"] = graph.fingerprint_of_0_1()
    again = ["dataset=custom", f"dataset.path={place}/data", "method=infgrand", "seeds=[0,1]", "baseline=false"]
    again = ["distill", *again, f"output_dir={place}/run", f"cache_dir={place}/cache", "training.max_epochs=3"]
    kept = file.read_text()
    try:
        file.write_text(yaml.safe_dump(config))
        assert main(again) == 0
        for seed in (0, 1):
            load_run_data(place / "run", seed, None)
        write_graph(place / "data", x=np.ones((60, 5)))
        for seed in (0, 1):
            with pytest.raises(GraphKDError, match="was trained on other data"):
                load_run_data(place / "run", seed, None)
        capsys.readouterr()
        assert main(again) == 2
        assert "holds a run with another dataset.fingerprint" in capsys.readouterr().err
        del old["fingerprint"]
        file.write_text(yaml.safe_dump(config))
        load_run_data(place / "run", 0, None)  # nothing is on record
    finally:
        file.write_text(kept)
        write_graph(place / "data")
