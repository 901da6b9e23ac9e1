"""What is compared: data sets, settings, methods with their published settings, and published numbers."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from graphkd.config import composed, spec_from
from graphkd.encoders import Auto, Encoder, Propagated
from graphkd.methods import GLNN, MLP, Method
from graphkd.spec import DistillSpec

HERE = Path(__file__).parent
CONFIGS = HERE.parent.parent / "configs" / "experiment"

METHODS = {
    "infgrand": "InfGraND",
    "krd": "KRD",
    "ff_g2m": "FF-G2M",
    "adagmlp": "AdaGMLP",
    "simmlp": "SimMLP",
    "hgmd": "HGMD",
    "nosmog": "NOSMOG",
    "tined": "TINED",
    "tined_plus": "TINED+",
    "g2mlp": "G2MLP",
    "progmlp": "ProGMLP",
    "linkdist": "LinkDist",
    "colinkdist": "CoLinkDist",
    "cohop": "CoHOp (linear)",
    "vqgraph": "VQGraph",
}
"""In the order of the tables, beside GLNN and the plain MLP."""
PLAIN = {"mlp": "plain MLP", "mlp_neighbours": "plain MLP of neighbours' rows"}
"""Trained on the labels alone: the baselines of students that read x, and of students that read neighbours."""
MODELS = {**PLAIN, "teacher": "teacher (SAGE)", "glnn": "GLNN", **METHODS}
STUDENTS = tuple(name for name in MODELS if name != "teacher")

DATASETS = {
    "cora": "Cora",
    "citeseer": "CiteSeer",
    "pubmed": "PubMed",
    "computers": "Computers",
    "photo": "Photo",
}
NODES = {"cora": 2485, "citeseer": 2110, "pubmed": 19717, "computers": 13381, "photo": 7487}
"""Of the largest components, as published: an experiment on other data is refused."""
SETTINGS = ("transductive", "production", "cold_start")

ARXIV = [
    *("teacher.num_layers=3", "teacher.hidden_dim=256", "teacher.dropout=0.2", "teacher.norm=batch"),
    *("teacher.aggregator=gcn", "teacher.hops=before_activation", "student.num_layers=3", "student.norm=batch"),
    *("training.max_epochs=200", "training.lr=0.01", "training.weight_decay=0"),
    *("training.teacher_lr=0.01", "training.teacher_weight_decay=0"),
]
"""GLNN's for ogbn-arxiv; the published teacher samples neighbours, this one reads the whole graph."""

ARXIV_METHODS = {
    "krd": ["student.dropout=0.1", "training.lr=0.005", "method.lam=0.2", "method.tau=1.0", "method.momentum=0.9"],
    "hgmd": ["student.dropout=0.3", "training.lr=0.005", "method.lam=0", "method.tau=0.8", "method.alpha=10"],
    "adagmlp": ["student.dropout=0.3", "training.lr=0.005", "method.lam=0.7", "method.tau=0.1", "method.beta=2"],
    "nosmog": [
        *("encoder=positions", "encoder.walks=5", "encoder.length=50", "encoder.dim=128", "student.dropout=0.2"),
        *("method.gram=1e-6", "method.epsilon=0.02", "training.batch_size=4096"),
    ],
    "tined": [
        "student.dropout=0",
        "training.lr=0.005",
        "method.beta=0.05",
        "method.edges=0.4",
        "method.lr_ratio=10",
    ],
}
"""Settings that each method is published with for ogbn-arxiv, of those whose step grows with nodes and edges."""


@dataclass(frozen=True)
class Cell:
    """A data set with a teacher, in a setting.

    Args:
        name: in the tables.
        seeds: of splits and networks.
        configs: by student, overrides that compose its config; the first one names data set, setting and teacher.
        dataset: of ``DATASETS``, if it is one of CPF's protocol.
        setting: of ``SETTINGS``.
    """

    name: str
    seeds: tuple[int, ...]
    configs: dict[str, list[str]]
    dataset: str = ""
    setting: str = "transductive"

    def specs(self) -> dict[str, DistillSpec]:
        """Returns the students, GLNN first: the teacher is the one of its spec."""
        specs = {student: spec_from(composed(overrides)) for student, overrides in self.configs.items()}
        kinds: dict[str, tuple[Method, Encoder]] = {
            "glnn": (GLNN(), Auto()),
            "mlp": (MLP(), Auto()),
            "mlp_neighbours": (MLP(), Propagated()),
        }
        return {name: spec.with_method(*kinds[name]) if name in kinds else spec for name, spec in specs.items()}


def cpf(dataset: str, setting: str) -> Cell:
    """Returns the cell of a data set: 2 x 128 for all, each method's other settings as published."""
    glnn = experiment("glnn", f"cpf_{dataset}_sage", setting)
    taught = [method for method in METHODS if method != "vqgraph"]  # which needs a teacher of its own
    published = {method: experiment("methods", f"cpf_{dataset}_sage_{method}", setting) for method in taught}
    plain = dict.fromkeys(("glnn", *PLAIN), glnn)
    configs = {**plain, **{name: each for name, each in published.items() if each}}
    return Cell(DATASETS[dataset], tuple(range(10)), configs, dataset, setting)


def experiment(folder: str, name: str, setting: str) -> list[str]:
    """Returns overrides of a published configuration, of the setting's own where there is one; else nothing."""
    own = f"{name}_{setting}"
    found = next((each for each in (own, name) if (CONFIGS / folder / f"{each}.yaml").exists()), None)
    return [] if found is None else [f"experiment={folder}/{found}", f"setting={setting}"]


def cpf_codes(dataset: str) -> Cell:
    """Returns a cell whose teacher has a codebook, which VQGraph needs; GLNN learns from the same one."""
    own = experiment("methods", f"cpf_{dataset}_sage_vqgraph", "transductive")
    return Cell(
        f"{DATASETS[dataset]}, VQGraph's teacher", tuple(range(10)), dict.fromkeys(("glnn", "vqgraph"), own)
    )


def cpf_rows(dataset: str) -> Cell:
    """Returns a cell with rows that sum to 1, as the released codes of KRD and FF-G2M read Planetoid."""
    cell, rows = cpf(dataset, "transductive"), "dataset.row_normalize=true"
    some = ("glnn", "mlp", "krd", "ff_g2m", "adagmlp")
    return Cell(f"{cell.name}, rows sum to 1", cell.seeds, {name: [*cell.configs[name], rows] for name in some})


def planetoid(method: str, teacher: str, seeds: tuple[int, ...]) -> Cell:
    """Returns a method's published cell on Cora's public split; the others share its student and training."""
    own = [f"experiment=methods/cora_{teacher}_{method}"]
    name = f"Cora, public split, {METHODS[method]}'s settings ({teacher.upper()})"
    return Cell(name, seeds, dict.fromkeys(("glnn", "mlp", method), own))


def arxiv(width: int) -> Cell:
    """Returns the cell of ogbn-arxiv's synthetic twin: students of 3 x width, each method's settings for arxiv.

    Only GLNN is published at 1,024, so that the other methods stand beside it at 256 alone.
    """
    base = ["dataset=synthetic-arxiv", "teacher=sage", *ARXIV, f"student.hidden_dim={width}"]
    glnn = [*base, f"student.dropout={0.2 if width < 1000 else 0.5}", "training.batch_size=4096"]
    configs = {"glnn": glnn, "mlp": glnn}
    if width < 1000:
        configs |= {name: [*base, f"method={name}", *keys] for name, keys in ARXIV_METHODS.items()}
    return Cell(f"synthetic-arxiv, students of 3 x {width}", (0, 1, 2), configs)


def digits() -> Cell:
    """Returns a cell without files, of a few epochs: that the command works."""
    short = ["dataset=digits", "teacher=sage", "training.max_epochs=2"]
    methods = {name: [*short, f"method={name}", *SHORT.get(name, [])] for name in METHODS if name != "vqgraph"}
    return Cell("Digits, 2 epochs", (0, 1), {**dict.fromkeys(("glnn", *PLAIN), short), **methods})


SHORT = {"simmlp": ["method.pretrain_epochs=2"], "cohop": ["student.num_layers=1", "method.rounds=2"]}
"""Overrides that keep a method's run short."""

CELLS: dict[str, Callable[[], Cell]] = {
    **{
        f"cpf_{dataset}" + ("" if setting == "transductive" else f"_{setting}"): partial(cpf, dataset, setting)
        for setting in SETTINGS
        for dataset in DATASETS
    },
    **{f"cpf_{dataset}_codes": partial(cpf_codes, dataset) for dataset in DATASETS},
    "cpf_cora_rows": partial(cpf_rows, "cora"),
    "cpf_citeseer_rows": partial(cpf_rows, "citeseer"),
    "cora_krd": partial(planetoid, "krd", "sage", (42, 43, 45)),
    "cora_hgmd": partial(planetoid, "hgmd", "gcn", (2023, 2024, 2025)),
    "arxiv_256": partial(arxiv, 256),
    "arxiv_1024": partial(arxiv, 1024),
    "digits": digits,
}
DEFAULT_CELLS = tuple(name for name in CELLS if name != "digits")


@dataclass(frozen=True)
class Published:
    """A published accuracy in percent, with the standard deviation over runs if it was published."""

    score: float
    std: float | None
    source: str


def published() -> dict[tuple[str, str, str], Published]:
    """Returns published accuracies by method, data set and setting, of ``published.csv``."""
    with (HERE / "published.csv").open(newline="") as file:
        return {
            (row["method"], row["dataset"], row["setting"]): Published(
                float(row["score"]), float(row["std"]) if row["std"] else None, row["source"]
            )
            for row in csv.DictReader(file)
        }
