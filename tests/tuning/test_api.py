import json
import re
import shutil
from pathlib import Path

import pytest

import graphkd
from graphkd import GraphKDError
from graphkd.tuning.plots import pareto_front
from tests.conftest import make_data

pytest.importorskip("optuna")

SHORT = ["training.max_epochs=8", "student.hidden_dim=8", "teacher.hidden_dim=8", "device=cpu", "transform=none"]
FEW = {"minutes": 30, "trials": 1, "methods": ["glnn"], "seeds": 2, "overrides": SHORT}


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> graphkd.tuning.Tuned:
    return graphkd.tune(make_data(), output_dir=tmp_path_factory.mktemp("tune") / "out", **FEW)


def test_the_winner_is_an_ordinary_run_on_new_seeds_beside_the_plain_mlp(tuned) -> None:
    metrics = json.loads((tuned.path / "winner" / "metrics.json").read_text())
    assert [seed["seed"] for seed in metrics["seeds"]] == [8, 9]
    assert not {8, 9} & set(tuned.summary["search_seeds"])
    assert {"student_test", "mlp_test"} <= set(metrics["mean"])
    assert tuned.predictor.predict(make_data().x).shape == (60,)
    assert tuned.plain_mlp.metrics["method"] == "mlp"
    assert tuned.plain_mlp.metrics["mean"]["mlp_test"] == tuned.plain_mlp.metrics["mean"]["student_test"]


def test_the_folder_holds_the_table_and_the_pictures_and_no_cache(tuned) -> None:
    assert {file.name for file in tuned.path.iterdir()} == {
        *("winner", "plain_mlp", "trials.jsonl", "trials.csv", "tune.json", "pareto.png", "importance.png"),
    }
    assert set(tuned.trials["method"]) == {"mlp", "glnn"}
    assert tuned.trials["val"].between(0, 1).all()
    assert (tuned.trials["microseconds"] > 0).all()


def test_data_in_memory_have_no_command(tuned) -> None:
    assert tuned.command is None


@pytest.mark.slow
def test_more_seeds_go_on_and_fewer_are_refused(tuned, tmp_path: Path) -> None:
    out = shutil.copytree(tuned.path, tmp_path / "out")
    again = graphkd.tune(make_data(), output_dir=out, **{**FEW, "seeds": 3})
    assert again.winner.metrics["seeds"][:2] == tuned.winner.metrics["seeds"]
    with pytest.raises(GraphKDError, match="holds a run of 3 seeds"):
        graphkd.tune(make_data(), output_dir=out, **FEW)


@pytest.mark.parametrize("name", ["mine.txt", "cache", "winner"])
def test_a_folder_with_anything_else_is_refused_and_kept(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(GraphKDError, match="exists and holds no search: choose another output_dir"):
        graphkd.tune(make_data(), output_dir=tmp_path, **FEW)
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.slow
def test_the_same_call_goes_on_and_finds_the_same(tuned) -> None:
    before = (tuned.path / "winner" / "metrics.json").read_bytes()
    again = graphkd.tune(make_data(), output_dir=tuned.path, **FEW)
    assert again.overrides == tuned.overrides
    assert (tuned.path / "winner" / "metrics.json").read_bytes() == before


@pytest.mark.slow
def test_labels_of_test_nodes_change_no_choice(tuned, tmp_path: Path) -> None:
    """The whole search on the same data with other test labels: the same trials, bit for bit."""
    data = make_data()
    unseen = ~(data.train_mask | data.val_mask)
    data.y[unseen] = (data.y[unseen] + 1) % 3
    other = graphkd.tune(data, output_dir=tmp_path / "out", **FEW)
    assert other.overrides == tuned.overrides
    scores = ["number", "seeds", "val", "gain", "settings"]
    first, second = (each.trials.sort_values("number")[scores].to_csv(index=False) for each in (tuned, other))
    assert first == second
    assert other.winner.metrics["mean"]["student_test"] != tuned.winner.metrics["mean"]["student_test"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"minutes": 0}, "minutes is 0: it must be a number above 0"),
        ({"minutes": "ten"}, "minutes is ten: it must be a number above 0"),
        ({"trials": 0}, "trials is 0: it must be a whole number, 1 or more"),
        ({"workers": 1.5}, "workers is 1.5: it must be a whole number"),
        ({"seeds": True}, "seeds is True: it must be a whole number"),
        ({"seed": 1.5}, "seed"),
        ({"methods": "glnn"}, "methods is 'glnn': give a list of names"),
        ({"methods": ["adagmlp"], "max_kb": 100}, "whose students cannot be measured beforehand"),
        ({"reads": "all"}, "reads is 'all': choose one of x, positions, neighbours"),
        ({"methods": ["mlp"]}, "methods has mlp"),
        ({"methods": ["cohop"]}, "methods has cohop, whose student reads neighbours: choose reads=neighbours"),
        ({"methods": ["gln"]}, "unknown method 'gln'"),
        ({"max_kb": 0.001}, "--max-kb 0.001: the smallest student"),
        ({"max_us": 1e-6}, "--max-us 1e-06: the smallest student"),
        ({"overrides": ["method=krd"]}, "method cannot be given to a search: use --methods"),
        ({"overrides": ["method.lam=0.5"]}, "method.lam cannot be given to a search: use --methods"),
        ({"overrides": ["encoder=raw"]}, "encoder cannot be given to a search: use --reads"),
        ({"overrides": ["dataset=cora"]}, "dataset= is for data sets by name"),
        ({"overrides": ["teacher=gnn"]}, "gnn"),
        ({"overrides": ["student.hiden_dim=8"]}, "hiden_dim"),
        ({"overrides": ["student.hidden_dim=wide"]}, "hidden_dim"),
        ({"output_dir": ""}, "output_dir is ''"),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_written(arguments: dict, reason: str, tmp_path: Path) -> None:
    with pytest.raises(GraphKDError, match=re.escape(reason)) as caught:
        graphkd.tune(make_data(), **{"output_dir": tmp_path / "out", **arguments})
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_graph_without_features_is_searched_with_positions(tmp_path: Path) -> None:
    data = make_data()
    data.x = None
    with pytest.raises(GraphKDError, match="no features: choose reads=positions"):
        graphkd.tune(data, output_dir=tmp_path / "out", **FEW)
    tuned = graphkd.tune(data, reads="positions", output_dir=tmp_path / "out", **{**FEW, "seeds": 1})
    assert set(tuned.trials["reads"]) == {"positions"}
    assert "student_test" in tuned.winner.metrics["mean"]


def test_a_folder_that_holds_no_search_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GraphKDError, match="a finished search of graphkd tune"):
        graphkd.tuning.Tuned(tmp_path)


def test_nothing_on_the_front_is_beaten_in_both() -> None:
    rows = [{"microseconds": us, "val": val} for us, val in ((5, 0.7), (5, 0.8), (7, 0.75), (9, 0.9), (12, 0.9))]
    assert [(row["microseconds"], row["val"]) for row in pareto_front(rows)] == [(5, 0.8), (9, 0.9)]
