"""What is compared: every variant, and the base of each data set, as overrides of ``graphkd distill``."""

from __future__ import annotations

from dataclasses import dataclass

BASES: dict[str, tuple[list[str], list[str]]] = {
    "cora": (
        [
            "teacher.num_layers=3", "teacher.dropout=0.3", "student.num_layers=3", "student.dropout=0.4",
        ],
        [
            "method.lam=0.5", "method.tau=1.3", "method.delta1=0.8", "method.delta2=0.1", "method.gamma1=1.0",
            "method.gamma2=0.4",
        ],
    ),
    "citeseer": (
        [
            "teacher.num_layers=2", "teacher.dropout=0.5", "student.num_layers=2", "student.dropout=0.5",
        ],
        [
            "method.lam=0.1", "method.tau=1.2", "method.delta1=0.6", "method.delta2=0.1", "method.gamma1=0.4",
            "method.gamma2=0.4",
        ],
    ),
    "photo": (
        [
            "teacher.num_layers=3", "teacher.dropout=0.4", "student.num_layers=3", "student.dropout=0.4",
            "training.lr=0.001",
        ],
        [
            "method.lam=0.2", "method.tau=1.5", "method.delta1=0.4", "method.delta2=0.7", "method.gamma1=0.7",
            "method.gamma2=0.4",
        ],
    ),
    "pubmed": (
        [
            "teacher.num_layers=2", "teacher.dropout=0.3", "student.num_layers=2", "student.dropout=0.6",
        ],
        [
            "method.lam=0.0", "method.tau=1.3", "method.delta1=0.8", "method.delta2=0.1", "method.gamma1=0.8",
            "method.gamma2=0.2",
        ],
    ),
    "digits": (["teacher.num_layers=2", "student.num_layers=2", "training.max_epochs=3"], []),
}  # fmt: skip
"""Networks, then the method: InfGraND's published transductive SAGE cell; digits is for the test only."""

WIDTH = 256
"""Of teacher and student on every data set; published are 512, 1,024, 1,024 and 2,048."""

FULL = ("method.delta1=0", "method.gamma1=0")
"""The influence is the whole weight: where its ranking matters at all, it matters here.

Mean influences differ a hundredfold; so would loss, decay and the share of the labels. ``run.py`` adds the δ2 and
γ2 that make the mean weight of labelled nodes and that of edges 1.
"""

SHUFFLED = "influence=shuffled"


@dataclass(frozen=True)
class Family:
    """Variants that are compared with one of them.

    Args:
        title: in words.
        reference: the variant the others are compared with; one of its own, or ``base``.
        variants: name → overrides beyond the networks', the method's and those that all of the family share.
        shared: overrides of all variants.
    """

    title: str
    reference: str
    variants: dict[str, list[str]]
    shared: tuple[str, ...] = ()


INFLUENCES = (
    "infgrand",
    "shuffled",
    "random_uniform",
    "degree",
    "pagerank",
    "kcore",
    "betweenness",
    "random_walk",
)
INFLUENCES += ("infgrand_per_class", "confidence", "reliability")


def _scarce(percent: int) -> Family:
    name = f"labels_{percent}"
    keys = {f"{name}_infgrand": [], f"{name}_shuffled": [SHUFFLED], f"{name}_glnn": ["method=glnn"]}
    return Family(
        f"{percent} % of the labels", f"{name}_infgrand", keys, (f"dataset.label_rate={percent / 100:g}",)
    )


FAMILIES = {
    "influence": Family(
        "Influence, at the published strength",
        "base",
        {
            "no_influence": ["influence=none"],
            "shuffled": [SHUFFLED],
            "random_uniform": ["influence=random_uniform"],
            "supervision_only": ["method.gamma2=0"],
            "distillation_only": ["method.delta2=0"],
        },
    ),
    "full": Family(
        "Influence as the whole weight",
        "full_uniform",
        {f"full_{name}": [f"influence={name}"] for name in ("uniform", *INFLUENCES)},
        FULL,
    ),
    "pooling": Family(
        "Pooling", "base", {f"pooling_{name}": [f"method.pooling={name}"] for name in ("max", "min", "concat")}
    ),
    "hops": Family("Hops", "base", {f"hops_{hops}": [f"method.hops={hops}"] for hops in (0, 1, 3, 4, 5, 6)}),
    **{f"labels_{percent}": _scarce(percent) for percent in (10, 20, 40)},
    "methods": Family(
        "Other methods",
        "base",
        {
            "glnn": ["method=glnn"],
            "mlp": ["method=mlp"],
            "mlp_same_inputs": ["method=mlp", "encoder=propagated", "encoder.self_loops=2"],
        },
    ),
}
"""The base has hops 2, mean pooling and all labels, as published on all four data sets."""


def variants() -> dict[str, list[str]]:
    """Every variant once, the base first."""
    found: dict[str, list[str]] = {"base": []}
    for family in FAMILIES.values():
        found |= {name: [*family.shared, *keys] for name, keys in family.variants.items()}
    return found


def overrides(dataset: str, variant: str) -> list[str]:
    """All arguments of ``graphkd distill`` for a variant on a data set; seeds and places are not among them."""
    networks, method = BASES[dataset]
    keys = variants()[variant]
    widths = [
        f"teacher.hidden_dim={WIDTH}",
        f"student.hidden_dim={WIDTH}",
        "teacher.aggregator=gcn",
        "teacher.self_loops=2",
    ]
    own = [f"dataset={dataset}", "teacher=sage", *networks, *widths]
    if any(key.startswith("method=") for key in keys):
        return [*own, *keys]
    return [*own, "method=infgrand", "method.variant=reference", "method.hops=2", *method, *keys]
