"""Losses and gradients of one step, in one process or as the sum over several."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from graphkd import matching, methods, students, teachers, terms
from graphkd.datasets import Graph
from graphkd.distributed import world
from graphkd.matching import MatchingTerm
from graphkd.methods import Targets
from graphkd.registry import catalogue
from graphkd.sparse import Adjacency, sample_blocks, select_rows, shared_blocks
from graphkd.training.fit.batches import Batches
from graphkd.training.fit.task import DistillationTask
from tests.conftest import make_data
from tests.networks import teacher_like

Case = tuple[str, str, str, str, str]
"""Method, strategy, distance, projection and term."""


def student_steps(cases: list[Case], rows: int) -> list[list[Tensor]]:
    """Of so many rows."""
    return [_student_step(case, rows) for case in cases]


def _student_step(case: Case, rows: int) -> list[Tensor]:
    method, strategy, distance, projection, name = case
    torch.manual_seed(0)
    graph = Graph.from_data(make_data(21)).with_influence(torch.rand(21))
    output = teachers.GCN(8, 5, 3, num_layers=3).eval()(graph.x, graph.adj).detach()
    criterion = catalogue(methods)[method]()
    targets = criterion.prepare(graph, output)
    added = [] if name == "none" else [catalogue(terms)[name](weight=0.3)]
    if strategy != "none":
        targets = targets.with_hops(output.hops[:-1])
        chosen = catalogue(matching)[strategy](weight=0.7, distance=distance, projection=projection)
        added = [MatchingTerm.of(chosen, [6, 6], [5, 5]), *added]
    student = students.MLP(targets.inputs.shape[1], 6, 3, num_layers=3, dropout=0.3)
    task = DistillationTask(student, criterion, added)
    some = targets.select(graph.train[:rows] if rows < 21 else torch.arange(21))
    (batch,) = Batches(_in_double(some), None, 0, torch.device("cpu")).epoch(0)
    return _summed(task.double(), task(batch))


def teacher_step(name: str, seeds: int, jump: str = "none") -> list[Tensor]:
    torch.manual_seed(0)
    data = make_data()
    graph, draw = Adjacency(data.edge_index, 60), torch.Generator().manual_seed(1)
    keys = {"num_layers": 3, "residual": True, "initial_residual": 0.1, "jumping_knowledge": jump}
    model = teacher_like(catalogue(teachers)[name], 8, 8, 3, **keys).double()
    for weight in model.parameters():
        nn.init.normal_(weight)
    nodes = torch.randperm(60, generator=draw)[:seeds]
    blocks = sample_blocks(graph, nodes, [3, 2, 3], draw)
    own = world().rows(seeds)
    if world().is_distributed:
        blocks = shared_blocks(blocks, own)
    logits = model(select_rows(data.x.double(), blocks[0].sources), blocks).logits
    return _summed(model, {"loss": logits.logsumexp(dim=1).sum()})


def _summed(model: nn.Module, terms: dict[str, Tensor]) -> list[Tensor]:
    terms["loss"].backward()
    parts = [*terms.values(), *(weight.grad for weight in model.parameters() if weight.grad is not None)]
    return [world().all_reduce(part) for part in parts]


def _in_double(targets: Targets) -> Targets:
    soft = targets.soft
    if soft is not None:
        soft = replace(soft, table=soft.table.double(), row_weight=soft.row_weight.double())
    hops = [hop.double() for hop in targets.hops]
    return replace(targets, inputs=targets.inputs.to(torch.float64), soft=soft, hops=hops)
