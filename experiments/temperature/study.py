"""What is compared: data sets, teachers, methods, fixed temperatures and the rules that move or spread them."""

from __future__ import annotations

from dataclasses import dataclass

from graphkd.config import composed, spec_from
from graphkd.spec import DistillSpec

DATASETS = {
    "cpf_cora": [],
    "cpf_citeseer": [],
    "pubmed": ["dataset.split=cpf"],
    "photo": ["dataset.split=cpf"],
    "computers": ["dataset.split=cpf"],
    "cs": [],
    "digits": ["training.max_epochs=10"],
}
"""Each with its overrides; 20 training and 30 validation nodes per class, but digits, for the tests."""
TEACHERS = {
    "sage": ["teacher.aggregator=gcn", "teacher.self_loops=2", "teacher.hops=before_activation"],
    "gcn": [],
}
METHODS = {"glnn": [], "krd": ["method.tau=1"]}
"""KRD at the temperature of the others, over which a calibration's is multiplied."""
SHARED = [
    *("teacher.num_layers=2", "teacher.hidden_dim=128", "teacher.dropout=0"),
    *("student.num_layers=2", "student.hidden_dim=128", "student.dropout=0.5"),
    *("training.max_epochs=500", "training.patience=50", "training.lr=0.01", "training.weight_decay=0.0005"),
]
GRID = {
    "T = 1": ["calibration=none"],
    **{
        f"T = {tau:g}{', τ²' if squared == 'true' else ''}": [
            *("calibration=fixed", f"calibration.tau={tau}", f"calibration.tau_squared={squared}"),
        ]
        for squared in ("false", "true")
        for tau in (0.5, 2.0, 4.0)
    },
}
"""Fixed temperatures, with τ² and without; the best on validation is what a rule has to beat."""
RULES = {
    "cosine": ["calibration=cosine"],
    "linear": ["calibration=linear"],
    "dts": ["calibration=dts"],
    "dts monotone": ["calibration=dts", "calibration.variant=monotone"],
    "ctkd": ["calibration=ctkd"],
    "ctkd per node": ["calibration=ctkd", "calibration.per_sample=true"],
    "logit standardization": ["calibration=logit_standardization"],
    "normkd": ["calibration=normkd"],
    "dtkd": ["calibration=dtkd"],
}
"""With their defaults, which are the published ones but for CTKD's narrower range."""
PER_NODE = ("ctkd per node", "dtkd")
"""Refused for KRD, whose targets mix nodes."""


@dataclass(frozen=True)
class Cell:
    """A data set, a teacher and a method."""

    dataset: str
    teacher: str
    method: str

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.dataset}_{self.teacher}_{self.method}"

    @property
    def overrides(self) -> list[str]:
        """Returns what composes its config without a calibration."""
        own = [*DATASETS[self.dataset], *TEACHERS[self.teacher], *METHODS[self.method]]
        return [f"dataset={self.dataset}", f"teacher={self.teacher}", f"method={self.method}", *SHARED, *own]

    def specs(self) -> dict[str, DistillSpec]:
        """Returns the students, those of the grid first."""
        known = {**GRID, **{name: rule for name, rule in RULES.items() if self.takes(name)}}
        return {name: spec_from(composed([*self.overrides, *rule])) for name, rule in known.items()}

    def takes(self, rule: str) -> bool:
        """Whether the method's targets can have the temperatures of a rule."""
        return self.method == "glnn" or rule not in PER_NODE


CELLS = {
    cell.name: cell
    for cell in (
        Cell(dataset, teacher, method) for dataset in DATASETS for teacher in TEACHERS for method in METHODS
    )
}
DEFAULT_CELLS = tuple(name for name, cell in CELLS.items() if cell.dataset != "digits")
