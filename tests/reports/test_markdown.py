from pathlib import Path

from graphkd.reports import find_runs, grouped, to_markdown
from tests.reports.runs import make_run, seed


def markdown(*paths: Path) -> list[str]:
    return to_markdown(grouped(find_runs([str(path) for path in paths]))).splitlines()


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def test_a_table_as_it_is_read(tmp_path: Path) -> None:
    one = make_run(tmp_path / "a", [seed(0, 0.80, 0.82, 0.6), seed(1, 0.82, 0.86, 0.7)])
    two = make_run(tmp_path / "b", [seed(0, 0.80, 0.83), seed(1, 0.82, 0.83)], matching="reverse")
    head, rule, first, second = (lines := markdown(one, two))[2:6]
    assert lines[:2] == ["## cora · public split · transductive · accuracy", ""]
    assert cells(head) == [
        "teacher", "student", "method", "matching", "seeds", "teacher test %", "plain MLP test %",
        "student test %", "student − teacher", "student − row 1",
    ]  # fmt: skip
    assert cells(first) == [
        "gcn", "mlp", "glnn", "none", "2", "81.00 ± 1.00", "65.00 ± 5.00", "84.00 ± 2.00",
        "+3.00 [+2.00, +4.00]", "",
    ]  # fmt: skip
    assert cells(second) == [
        "gcn", "mlp", "glnn", "reverse", "2", "81.00 ± 1.00", "", "83.00 ± 0.00", "+2.00 [+1.00, +3.00]",
        "-1.00 [-3.00, +1.00]",
    ]  # fmt: skip
    assert rule.strip("|").split("|")[0].strip("-") == ""
    assert rule.strip("|").split("|")[-1].endswith("-:")
    assert len({len(line) for line in (head, rule, first, second)}) == 1
    assert lines[7].startswith("Test scores are those of the epoch that is best on validation")


def test_macro_f1_and_calibration_error_of_the_student_are_shown_where_recorded(tmp_path: Path) -> None:
    one = make_run(tmp_path / "a", [seed(0, 0.80, 0.82, test_macro_f1=0.7, test_ece=0.05)])
    two = make_run(tmp_path / "b", [seed(0, 0.80, 0.83)], matching="reverse")
    head, _, first, second = markdown(one, two)[2:6]
    of_first = dict(zip(cells(head), cells(first), strict=True))
    of_second = dict(zip(cells(head), cells(second), strict=True))
    assert (of_first["student macro-F1 %"], of_first["student ECE %"]) == ("70.00", "5.00")
    assert (of_second["student macro-F1 %"], of_second["student ECE %"]) == ("", "")


def test_what_students_read_stands_beside_the_plain_mlp_of_the_same_inputs(tmp_path: Path) -> None:
    seeds = [{**seed(0, 0.8, 0.82, 0.6), "mlp_same_inputs": {"val": 0.8, "test": 0.75}}]
    one = make_run(tmp_path / "a", seeds, method="infgrand", reads={"student": "neighbours"})
    two = make_run(tmp_path / "b", [seed(0, 0.8, 0.81, 0.6)], reads={"student": "x"})
    lines = markdown(one, two)
    rows = [dict(zip(cells(lines[2]), cells(line), strict=True)) for line in lines[4:6]]
    assert [row["student reads"] for row in rows] == ["neighbours", "x"]
    assert [row["plain MLP, same inputs, test %"] for row in rows] == ["75.00", ""]


def test_one_seed_has_no_spread_and_one_run_no_reference(tmp_path: Path) -> None:
    lines = markdown(make_run(tmp_path / "a", [seed(0, 0.82, 0.82)]))
    assert cells(lines[2])[-2:] == ["student test %", "student − teacher"]
    assert cells(lines[4])[-3:] == ["82.00", "82.00", "+0.00"]


def test_columns_for_hidden_nodes_warnings_influence_and_what_differs(tmp_path: Path) -> None:
    hidden = [seed(0, 0.5, 0.6, test_ind=0.25, test_tran=0.75)]
    facts = {"setting": "production", "method": "infgrand", "variant": "paper", "influence": "uniform"}
    runs = [make_run(tmp_path / str(at), hidden, f"method: {{lam: 0.{at}}}", **facts) for at in (1, 2)]
    lines = markdown(*runs, make_run(tmp_path / "c", setting="production", influence_of_full_graph=True))
    rows = [dict(zip(cells(lines[2]), cells(line), strict=True)) for line in lines[4:7]]
    assert [row["differs in"] for row in rows] == ["lam=0.1, seeds=[0]", "lam=0.2, seeds=[0]", "seeds=[0, 1]"]
    assert lines[8] == "Runs of this table differ in lam, seeds, beside the named parts."
    assert [row["influence"] for row in rows] == ["uniform", "uniform", ""]
    assert [row["student hidden test %"] for row in rows] == ["25.00", "25.00", ""]
    assert [row["student visible test %"] for row in rows] == ["75.00", "75.00", ""]
    assert [row["warning"] for row in rows] == ["", "", "influence saw hidden nodes"]


def test_pairs_that_are_missing_are_said(tmp_path: Path) -> None:
    runs = [
        make_run(tmp_path / str(at), [seed(number, 0.5, 0.5) for number in numbers])
        for at, numbers in enumerate(([0, 1, 2], [1, 2, 3], [2], [9]))
    ]
    found = [cells(line)[-1] for line in markdown(*runs)[4:8]]
    assert found == ["", "+0.00 [+0.00, +0.00] (2 pairs)", "+0.00 (1 pair)", "no common seed"]


def test_names_cannot_break_the_table(tmp_path: Path) -> None:
    lines = markdown(make_run(tmp_path / "a", teacher="my|own\nnet", dataset="a\nb"))
    assert lines[0] == "## a b · public split · transductive · accuracy"
    assert lines[4].startswith(r"| my\|own net | mlp ")
