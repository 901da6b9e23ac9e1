from pathlib import Path

import pytest

from graphkd.reports import find_runs, grouped
from tests.reports.runs import make_run, seed


def test_what_cannot_be_compared_is_kept_apart(tmp_path: Path) -> None:
    facts = [{}, {"setting": "inductive"}, {"metric": "roc_auc"}, {"split": "random"}, {"dataset": "pubmed"}]
    runs = [str(make_run(tmp_path / f"{at}{again}", **each)) for again in "xy" for at, each in enumerate(facts)]
    groups = grouped(find_runs(runs))
    assert [group.title for group in groups] == [
        "cora · public split · transductive · accuracy",
        "cora · public split · inductive · accuracy",
        "cora · public split · transductive · roc_auc",
        "cora · random split · transductive · accuracy",
        "pubmed · public split · transductive · accuracy",
    ]
    assert [[row.run.path.name for row in group.rows] for group in groups] == [
        [f"{at}x", f"{at}y"] for at in range(5)
    ]


def test_so_are_graphs_of_one_s_own(tmp_path: Path) -> None:
    configs = [
        "dataset: {path: /one/papers, fingerprint: 11111111f}", "dataset: {path: /one/users, fingerprint: 1}",
        "dataset: {path: /two/papers, fingerprint: 22222222f}",
        "dataset: {path: /one/papers, fingerprint: 11111111f}",
    ]  # fmt: skip
    runs = [str(make_run(tmp_path / str(at), changes=each, dataset="custom")) for at, each in enumerate(configs)]
    groups = grouped(find_runs(runs))
    assert [(group.title.split(" · ")[0], group.title.split(" · ")[4:]) for group in groups] == [
        ("custom (papers)", ["data 11111111"]), ("custom (users)", []), ("custom (papers)", ["data 22222222"]),
    ]  # fmt: skip
    assert [len(group.rows) for group in groups] == [2, 1, 1]


def test_differences_are_over_the_seeds_that_both_have(tmp_path: Path) -> None:
    first = make_run(tmp_path / "a", [seed(0, 0.5, 0.6), seed(1, 0.5, 0.7), seed(2, 0.5, 0.9)])
    second = make_run(tmp_path / "b", [seed(2, 0.4, 0.95), seed(0, 0.6, 0.75), seed(7, 0.5, 0.0)])
    third = make_run(tmp_path / "c", [seed(8, 0.5, 0.5)])
    (group,) = grouped(find_runs([str(first), str(second), str(third)]))
    gains, leads = [row.gain for row in group.rows], [row.lead for row in group.rows]
    assert [gain.mean for gain in gains] == pytest.approx([0.7 / 3, 0.2 / 3, 0.0])
    assert leads[0] is leads[2] is None
    assert (leads[1].n, leads[1].mean) == (2, pytest.approx((0.05 + 0.15) / 2))
    assert (leads[1].low, leads[1].high) == pytest.approx((0.05, 0.15))


def test_seeds_pair_only_with_those_of_the_same_split(tmp_path: Path) -> None:
    of = [make_run(tmp_path / str(at), [seed(0, 0.5, 0.6)], f"dataset: {{seed: {at}}}") for at in (0, 3)]
    from_command = make_run(tmp_path / "c", [seed(0, 0.5, 0.5)])
    (group,) = grouped(find_runs([str(path) for path in (*of, from_command)]))
    assert [row.lead and row.lead.mean for row in group.rows] == [None, None, pytest.approx(-0.1)]


def test_a_label_says_all_that_tells_a_run_apart(tmp_path: Path) -> None:
    facts = {"method": "infgrand", "variant": "paper", "matching": "reverse", "influence": "uniform"}
    runs = [str(make_run(tmp_path / str(at), changes=f"method: {{lam: {at}}}", **facts)) for at in (1, 2)]
    (group,) = grouped(find_runs(runs))
    assert group.rows[1].label == "gcn → infgrand (paper) + reverse, influence uniform, lam=2"
