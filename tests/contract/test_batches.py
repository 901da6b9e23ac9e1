"""Steps over batches: their gradients make up that of all rows, for every method and strategy there is."""

import copy
from dataclasses import replace

import pytest
import torch

from graphkd import matching, methods, students, teachers
from graphkd.datasets import Graph
from graphkd.matching import MatchingTerm
from graphkd.methods import Method, Targets
from graphkd.registry import catalogue
from graphkd.terms import EntropyMinimization
from graphkd.training.fit import batches
from graphkd.training.fit.batches import Batches, row_bytes
from graphkd.training.fit.task import DistillationTask
from tests.conftest import make_data

CPU = torch.device("cpu")


def compiled(method: Method) -> Targets:
    """Targets of 60 nodes in double precision, with two hops to match."""
    data = make_data()
    data.x = data.x.double()
    graph = Graph.from_data(data).with_influence(torch.rand(60).double())
    torch.manual_seed(0)
    output = teachers.GCN(8, 5, 3, num_layers=3).double().eval()(data.x, graph.adj).detach()
    targets = method.prepare(replace(graph, x=data.x), output).with_hops(output.hops[:-1])
    inputs = targets.inputs.double() if isinstance(targets.inputs, torch.Tensor) else targets.inputs
    return replace(targets, inputs=inputs)


def gradients(task: DistillationTask, made: list[Targets], rows: int) -> list[torch.Tensor]:
    """``Σ_b B_b / N ∇loss_b``."""
    task = copy.deepcopy(task)
    for batch in made:
        (task(batch)["loss"] * batch.num_rows / rows).backward()
    return [weight.grad for weight in task.parameters() if weight.grad is not None]


@pytest.mark.parametrize(("strategy", "term"), [("none", "none"), ("forward", "none"), ("forward", "entropy")])
@pytest.mark.parametrize("method", [name for name, part in catalogue(methods).items() if part().is_plain])
def test_gradients_of_batches_make_up_the_gradient_of_all_rows(
    method: str, strategy: str, term: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    criterion = catalogue(methods)[method]()
    targets = compiled(criterion)
    if strategy == "none":
        targets = targets.with_hops([]).without_idle_rows()
    added = [EntropyMinimization(weight=0.3)] if term == "entropy" else []
    if strategy != "none":
        added += [MatchingTerm.of(catalogue(matching)[strategy](weight=0.7), [6, 6], [5, 5])]
    student = students.MLP(targets.inputs.shape[1], 6, 3, num_layers=3, dropout=0.0)
    task = DistillationTask(student, criterion, added).double()
    monkeypatch.setattr(batches, "BLOCK_ROWS", 4)
    monkeypatch.setattr(batches, "POOL_BYTES", 14 * row_bytes(targets))
    whole = gradients(task, [targets], targets.num_rows)
    assert sum(float(gradient.norm()) for gradient in whole) > 0.01
    for size in (1, 7, 19, targets.num_rows):
        made = list(Batches(targets, size, 0, CPU).epoch(1))
        parts = gradients(task, made, targets.num_rows)
        for one, two in zip(parts, whole, strict=True):
            torch.testing.assert_close(one, two, atol=1e-10, rtol=0)
            assert size < targets.num_rows or torch.equal(one, two)
