import csv
import io
from pathlib import Path

import numpy as np

from graphkd.evaluation import paired_difference
from graphkd.reports import find_runs, grouped, seeds_csv, to_csv
from tests.reports.runs import METRICS, make_run, seed


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_line_per_run_in_full_precision(tmp_path: Path) -> None:
    scores = [(1 / 3, 0.7), (0.4, 2 / 3)]
    one = make_run(tmp_path / "a, b", [seed(at, *pair, test_ind=0.1) for at, pair in enumerate(scores)])
    two = make_run(tmp_path / "c", [seed(1, 0.5, 0.9, 0.2)], setting="transductive")
    three = make_run(tmp_path / "d", [seed(5, 0.5, 0.9)], dataset="pubmed", influence_of_full_graph=True)
    lines = read(to_csv(grouped(find_runs([str(path) for path in (one, two, three)]))))
    assert [line["run"] for line in lines] == [str(one), str(two), str(three)]
    first, second, third = lines
    assert {name: first[name] for name in METRICS if name in first} == {
        name: value for name, value in METRICS.items() if name in first
    }
    students, teachers = [pair[1] for pair in scores], [pair[0] for pair in scores]
    assert float(first["student_test_mean"]) == np.mean(students)
    assert float(first["student_test_std"]) == np.std(students)
    assert (first["student_test_ind_mean"], first["mlp_test_mean"], second["mlp_test_mean"]) == ("0.1", "", "0.2")
    gain = paired_difference(students, teachers)
    columns = [f"student_minus_teacher{end}" for end in ("", "_low", "_high", "_pairs")]
    assert [float(first[column]) for column in columns] == [gain.mean, gain.low, gain.high, 2]
    assert [first["reference"], second["reference"], third["reference"]] == ["", str(one), ""]
    assert float(second["student_minus_reference"]) == 0.9 - 2 / 3
    assert [second[f"student_minus_reference{end}"] for end in ("_low", "_high", "_pairs")] == ["", "", "1"]
    assert [first["student_minus_reference"], first["warning"]] == ["", ""]
    assert third["warning"] == "influence saw hidden nodes"
    assert [first["differs_in"], second["differs_in"]] == ["seeds=[0, 1]", "seeds=[1]"]


def test_a_line_per_seed_with_every_score(tmp_path: Path) -> None:
    runs = [
        make_run(tmp_path / "a", [seed(0, 0.5, 0.6, 0.4), seed(7, 1 / 3, 0.5)]),
        make_run(tmp_path / "b", [seed(3, 0.5, 0.6, test_ind=0.25, test_tran=0.75)], setting="inductive"),
    ]
    lines = read(seeds_csv(grouped(find_runs([str(path) for path in runs]))))
    assert [(line["run"], line["seed"]) for line in lines] == [
        (str(runs[0]), "0"), (str(runs[0]), "7"), (str(runs[1]), "3"),
    ]  # fmt: skip
    assert [line["teacher_test"] for line in lines] == ["0.5", repr(1 / 3), "0.5"]
    assert [line["mlp_val"] for line in lines] == ["0.4", "", ""]
    assert [line["student_test_tran"] for line in lines] == ["", "", "0.75"]
    assert [line["setting"] for line in lines] == ["transductive", "transductive", "inductive"]
