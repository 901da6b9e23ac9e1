from pathlib import Path

import pytest

from graphkd.commands.table import format_table, print_table

SEED = {"teacher": {"val": 0.8, "test": 0.82}, "student": {"val": 0.81, "test": 0.83}}
METRICS = {
    "dataset": "cora", "split": "public", "setting": "transductive", "metric": "accuracy", "teacher": "sage",
    "method": "infgrand", "matching": "reverse", "seeds": [SEED],
}  # fmt: skip


def test_one_seed_without_a_baseline() -> None:
    assert format_table(METRICS) == [
        "cora · public split · transductive · accuracy · 1 seed",
        "                                                  val %          test %",
        "teacher  sage                                     80.00           82.00",
        "student  infgrand + reverse                       81.00           83.00",
    ]


def test_hidden_and_visible_test_nodes_have_columns_of_their_own() -> None:
    seed = {part: {**scores, "test_ind": 0.5, "test_tran": 0.9} for part, scores in SEED.items()}
    lines = format_table({**METRICS, "setting": "production", "seeds": [seed]})
    assert lines[1].split("  ")[-1].strip() == "visible test %"
    assert lines[3].split()[-4:] == ["81.00", "83.00", "50.00", "90.00"]


def test_several_seeds_have_a_spread_and_the_baseline_stands_between() -> None:
    other = {"teacher": {"val": 0.7, "test": 0.8}, "student": {"val": 0.8, "test": 0.81}}
    seeds = [{**seed, "mlp": {"val": 0.5, "test": 0.6}} for seed in (SEED, other)]
    lines = format_table({**METRICS, "matching": "none", "seeds": seeds})
    assert [line.split()[0] for line in lines[2:]] == ["teacher", "mlp", "student"]
    assert lines[2].endswith("75.00 ± 5.00    81.00 ± 1.00")


def test_each_model_says_what_it_reads_and_both_plain_mlps_stand_between() -> None:
    seed = {**SEED, "mlp": {"val": 0.5, "test": 0.6}, "mlp_same_inputs": {"val": 0.6, "test": 0.7}}
    reads = {"teacher": "neighbours", "mlp": "x", "mlp_same_inputs": "neighbours", "student": "neighbours"}
    lines = format_table({**METRICS, "seeds": [seed], "reads": reads})
    assert [line.split()[0] for line in lines[2:]] == ["teacher", "mlp", "mlp", "student"]
    assert [line.split()[-3] for line in lines[2:]] == ["neighbours", "x", "neighbours", "neighbours"]
    assert len({len(line) for line in lines[1:]}) == 1


def test_another_metric_that_validation_selects_on_has_columns_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    extra = {"val_macro_f1": 0.6, "test_macro_f1": 0.55}
    classes = {"names": ["ok", "fraud"], "student": {"support": [95, 5], "predicted": [100, 0]}}
    seed = {**{part: {**scores, **extra} for part, scores in SEED.items()}, "classes": classes}
    metrics = {**METRICS, "seeds": [seed], "selected_by": "macro_f1"}
    lines = format_table(metrics)
    assert lines[1].endswith("val macro_f1 %  test macro_f1 %")
    assert lines[3].split()[-4:] == ["81.00", "83.00", "60.00", "55.00"]
    print_table(metrics, Path("run"))
    assert (
        capsys.readouterr().out.splitlines()[-1].startswith("warning: class 'fraud' (5 % of test nodes) is never")
    )
