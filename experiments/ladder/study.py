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


CPF = ("dataset.split=cpf",)
CELLS = {
    "cpf_cora": Cell("Cora, CPF", "cpf_cora", (), {"x": (82.63, "TINED"), "neighbours": (83.70, "TINED+")}),
    "cpf_citeseer": Cell(
        "CiteSeer, CPF", "cpf_citeseer", (), {"x": (74.57, "TINED"), "neighbours": (76.00, "TINED+")}
    ),
    "cpf_pubmed": Cell("PubMed, CPF", "pubmed", CPF, {"x": (78.17, "G2MLP"), "neighbours": (77.75, "TINED+")}),
    "cpf_photo": Cell("Photo, CPF", "photo", CPF, {"x": (92.85, "G2MLP"), "neighbours": (94.05, "TINED+")}),
    "cpf_computers": Cell(
        "Computers, CPF", "computers", CPF, {"x": (83.87, "G2MLP"), "neighbours": (84.82, "TINED+")}
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
