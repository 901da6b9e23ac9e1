from pathlib import Path

import pytest

from graphkd.reports import find_runs, grouped, to_latex
from graphkd.reports.latex import escaped
from graphkd.reports.score_table import ScoreTable
from tests.reports.runs import make_run, seed


def latex(*paths: Path) -> list[str]:
    return to_latex(grouped(find_runs([str(path) for path in paths]))).splitlines()


def test_a_table_per_group_with_the_columns_of_the_markdown_report(tmp_path: Path) -> None:
    one = make_run(tmp_path / "a", [seed(0, 0.80, 0.82), seed(1, 0.82, 0.86)])
    two = make_run(tmp_path / "b", [seed(0, 0.80, 0.83), seed(1, 0.82, 0.83)], matching="reverse")
    other = make_run(tmp_path / "c", dataset="pubmed")
    lines = latex(one, two, other)
    assert lines.count(r"\begin{table}") == lines.count(r"\end{tabular}") == 2
    assert lines[5] == r"\begin{tabular}{llllrrrrr}"
    assert lines[7] == (
        r"teacher & student & method & matching & seeds & teacher test \% & student test \% & "
        r"student $-$ teacher & student $-$ row 1 \\"
    )
    assert lines[10] == (
        r"gcn & mlp & glnn & reverse & 2 & 81.00 $\pm$ 1.00 & 83.00 $\pm$ 0.00 & +2.00 {[}+1.00, +3.00{]} & "
        r"$-$1.00 {[}$-$3.00, +1.00{]} \\"
    )
    (group, _) = grouped(find_runs([str(path) for path in (one, two, other)]))
    assert all(line.count(" & ") == len(ScoreTable.of(group).headings) - 1 for line in (lines[7], *lines[9:11]))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a_b{c}", r"a\_b\{c\}"),
        (r"\input", r"\textbackslash{}input"),
        ("50 % & $x^2$ #1 ~", r"50 \% \& \$x\textasciicircum{}2\$ \#1 \textasciitilde{}"),
        ("[0]", "{[}0{]}"),
        ("a\nb", "a b"),
        ("<x> | ± − → ·", r"\textless{}x\textgreater{} \textbar{} $\pm$ $-$ $\to$ $\cdot$"),
    ],
)
def test_characters_with_a_meaning_are_escaped(name: str, expected: str) -> None:
    assert escaped(name) == expected


def test_names_cannot_end_a_cell_or_a_row(tmp_path: Path) -> None:
    line = latex(make_run(tmp_path / "a", teacher="my&own\\\\net", method="c-1"))[9]
    assert line.startswith(r"my\&own\textbackslash{}\textbackslash{}net & mlp & c-1 & none & 2 & ")
