from pathlib import Path

import pytest

from graphkd import GraphKDError
from graphkd.reports import find_runs
from tests.reports.runs import make_run, seed


def found(*paths: Path) -> list[Path]:
    return [run.path for run in find_runs([str(path) for path in paths])]


def test_runs_come_in_the_order_given_those_in_a_folder_by_name_and_each_once(tmp_path: Path) -> None:
    b, a, deep = (make_run(tmp_path / "sweep" / name) for name in ("b", "a", "deeper/x/y"))
    first = make_run(tmp_path / "zero")
    assert found(first, tmp_path / "sweep", b, tmp_path) == [first, a, b, deep]
    assert found(Path(f"{first}/../zero"), first) == [tmp_path / "zero/../zero"]


def test_drafts_and_what_lies_inside_runs_are_no_runs_and_links_may_lead_in_circles(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs" / "a")
    make_run(tmp_path / "runs" / ".a.new")
    make_run(run / "seed_0")
    (tmp_path / "runs" / "again").symlink_to(tmp_path / "runs")
    (tmp_path / "runs" / "notes.txt").write_text("config.yaml")
    (tmp_path / "runs" / "also").symlink_to(run)
    assert found(tmp_path / "runs") == [run]


def test_no_run_in_one_of_the_folders_or_an_unfinished_one_is_one_line(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs" / "a")
    (tmp_path / "empty" / "below").mkdir(parents=True)
    with pytest.raises(GraphKDError, match="empty holds no run: give a run made by graphkd distill, or a folder"):
        found(run, tmp_path / "empty")
    with pytest.raises(GraphKDError, match="metrics.json is no folder: give a run"):
        found(run / "metrics.json")
    with pytest.raises(GraphKDError, match="RUN is '': give a path"):
        find_runs([""])
    (make_run(tmp_path / "runs" / "b") / "metrics.json").unlink()
    with pytest.raises(GraphKDError, match="b is not finished: run its graphkd distill command again"):
        found(tmp_path / "runs")


def test_names_say_variant_and_an_unusual_influence(tmp_path: Path) -> None:
    facts = {"method": "infgrand", "variant": "reference"}
    usual = make_run(tmp_path / "a", influence="infgrand", influence_of_full_graph=True, **facts)
    other = make_run(tmp_path / "b", influence="none", teacher_may_have_seen_hidden=True, **facts)
    own = make_run(tmp_path / "c", method="mine", influence="mine")
    first, second, third = find_runs([str(path) for path in (usual, other, own)])
    assert first.names["method"] == "infgrand (reference)"
    assert [run.names["influence"] for run in (first, second, third)] == ["", "none", "mine"]
    assert [run.warning for run in (first, second, third)] == [
        "influence saw hidden nodes", "teacher may have seen hidden nodes", "",
    ]  # fmt: skip


def test_scores_are_those_that_every_seed_has(tmp_path: Path) -> None:
    (run,) = find_runs([str(make_run(tmp_path / "a", [seed(3, 0.5, 0.6, 0.4, test_ind=0.1), seed(5, 0.7, 0.8)]))])
    assert run.scores("student").tolist() == [0.6, 0.8]
    assert run.scores("mlp") is None
    assert run.scores("student", "test_ind") is None
    assert run.by_seed == {(3, 3): 0.6, (5, 5): 0.8}


def test_a_split_may_have_a_seed_of_its_own(tmp_path: Path) -> None:
    (run,) = find_runs([str(make_run(tmp_path / "a", [seed(0, 0.5, 0.6)], "dataset: {seed: 3}"))])
    assert run.by_seed == {(3, 0): 0.6}
