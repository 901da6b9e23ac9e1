"""What is searched: data sets with their splits, what a student may read, and the published ladder."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """A data set in one protocol.

    Args:
        title: in the tables.
        dataset: as in ``graphkd list datasets``.
        overrides: of the protocol.
        published: best credible published test accuracy by what the student reads, in percent, and its method.
    """

    title: str
    dataset: str
    overrides: tuple[str, ...] = ()
    published: dict[str, tuple[float, str]] | None = None


CELLS = {
    "cpf_cora": Cell(
        "Cora, CPF", "cpf_cora", (), {"x": (82.6, "FF-G2M, KRD, TINED"), "neighbours": (83.7, "CoHOp, NOSMOG")}
    ),
    "cpf_citeseer": Cell(
        "CiteSeer, CPF", "cpf_citeseer", (), {"x": (74.6, "TINED"), "neighbours": (76.0, "CoHOp")}
    ),
    "cpf_pubmed": Cell(
        "PubMed, CPF", "pubmed", ("dataset.split=cpf",), {"x": (78.3, "x alone"), "neighbours": (78.4, "any")}
    ),
    "cpf_photo": Cell(
        "Photo, CPF", "photo", ("dataset.split=cpf",), {"x": (93.0, "x alone"), "neighbours": (94.2, "any")}
    ),
    "cpf_computers": Cell(
        "Computers, CPF",
        "computers",
        ("dataset.split=cpf",),
        {"x": (84.0, "x alone"), "neighbours": (85.2, "any")},
    ),
    "cora": Cell("Cora, public", "cora"),
    "citeseer": Cell("CiteSeer, public", "citeseer"),
    "pubmed": Cell("PubMed, public", "pubmed"),
    "minesweeper": Cell("Minesweeper (ROC-AUC)", "minesweeper"),
    "tolokers": Cell("Tolokers (ROC-AUC)", "tolokers"),
    "cs": Cell("CS, random", "cs"),
    "physics": Cell("Physics, random", "physics"),
}
READS = ("x", "neighbours")
