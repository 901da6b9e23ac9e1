"""What a part needs and costs, and a command that runs it."""

from __future__ import annotations

from typing import Any

from graphkd.config import GROUPS, parts_of
from graphkd.errors import GraphKDError
from graphkd.influence.inputs import inputs_of, reads_teacher
from graphkd.links.methods import LinkMethod
from graphkd.methods import GLNN, Method
from graphkd.registry import lookup
from graphkd.spec import resolve

COST = (
    "``{cost}`` multiply-adds beyond the student's own passes, in N nodes, E edges, C classes, d hidden units, "
    "D features, K members, M codes"
)

READS = {
    "x": "the features of its row, no graph",
    "neighbours": "the features of its row and of its neighbours",
    "x and positions": "the features of its row, and its position in the graph",
    "x and labels": "the features of its row, and the labels around it",
}
"""What a method's student reads, in words."""


def facts_of(part: Any) -> list[tuple[str, str]]:
    """Returns what a part declares, by kind: ``facts`` of a method, inputs of an influence, what a term reads.

    Args:
        part: class or function.
    """
    if isinstance(part, type) and issubclass(part, LinkMethod):
        return _link_method(part())
    if hasattr(part, "facts"):
        return _method(part())
    if hasattr(part, "reads"):
        declared = part().reads
        reads = declared if isinstance(declared, str) else ", ".join(declared)
        return [("Reads", reads)] if reads else []
    if part.__module__.startswith("graphkd.influence"):
        needs = "needed" if reads_teacher(part) else "not read"
        return [("Teacher", needs), ("Reads", ", ".join(["features and graph", *sorted(inputs_of(part))]))]
    return []


def _method(method: Method) -> list[tuple[str, str]]:
    """The facts of ``graphkd list methods``, and the node weights that a method is published with."""
    needed = f"only ``{method.needs_teacher}``" if method.needs_teacher else "any"
    step = "reads the student at both ends of edges" if method.live_edges else "reads no edges"
    weights = [("Node weights", f"``influence={method.influence}``")] if method.influence != "none" else []
    return [
        ("Teacher", needed if method.has_teacher else "none"),
        ("Student reads", READS.get(method.encoder().reads, method.encoder().reads)),
        *weights,
        ("Training step", step),
        ("Cost of a step", COST.format(cost=method.step_cost)),
    ]


def _link_method(method: LinkMethod) -> list[tuple[str, str]]:
    """The same of a method for links."""
    return [
        ("Teacher", "any, or a heuristic, of links" if method.reads_teacher else "none"),
        ("Student reads", READS["x"]),
        ("Training step", "reads pairs of nodes"),
        ("Cost of a step", f"``{method.step_cost}`` multiply-adds, of P pairs, A anchors and S nodes around each"),
    ]


ATTEMPTS: dict[str, dict[str, Any]] = {
    "": {},
    "method.lam=0.5": {"method": GLNN(lam=0.5)},
    "method=infgrand": {"method": "infgrand"},
}
"""What a part may need beside itself: nothing, labels in the loss, or a method that weights nodes."""


def command_of(group: str, name: str) -> list[str]:
    """Returns the shortest overrides with which a part runs.

    Args:
        group: its config group.
        name: as in ``group=name``.

    Raises:
        GraphKDError: no attempt makes a valid run.
    """
    if parts_of(group)[name].__module__.startswith("graphkd.links"):
        return [f"{group}={name}", "dataset.task=link"]
    needed = getattr(lookup(GROUPS[group], name), "needs_teacher", "") if group == "method" else ""
    chosen = {group: name, **({"teacher": needed} if needed else {})}
    if group == "cluster":
        return ["cluster=ray", "memory_budget=8"] if name == "ray" else [f"cluster={name}"]
    if group == "tracker":  # which goes with everything, and is no part of what is trained
        return [f"{group}={name}"]
    for more, parts in ATTEMPTS.items():
        try:
            resolve(**{**parts, **chosen})
        except GraphKDError as error:
            reason = error
        else:
            return [*(f"{key}={value}" for key, value in chosen.items()), *filter(None, [more])]
    raise GraphKDError(f"{group}={name} composes with nothing that was tried ({reason}): add to ATTEMPTS")
