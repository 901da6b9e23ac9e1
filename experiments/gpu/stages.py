"""Milliseconds of every stage on graphs of OGB's sizes."""

from __future__ import annotations

import functools
from typing import Any

import torch
from clock import drawn_graph, milliseconds

from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.influence import infgrand
from graphkd.methods import InfGraND
from graphkd.spec import resolve
from graphkd.students import MLP
from graphkd.teachers import GAT, GCN, SAGE, TeacherOutput
from graphkd.training import Training
from graphkd.training.stages.student import train_student
from graphkd.training.stages.teacher import TeacherResult
from graphkd.training.teacher_batches import WAYS

TEACHERS = {"gcn": GCN, "sage": functools.partial(SAGE, aggregator="gcn"), "gat": GAT}


def rows(size: str, teachers: tuple[str, ...]) -> list[dict[str, Any]]:
    """Teachers' epochs, compile, influence and the student's epoch."""
    graph, found = drawn_graph(size), []

    def add(what: str, taken: float) -> None:
        peak = torch.cuda.max_memory_allocated() / 2**30
        found.append({"what": what, "size": size, "ms": taken, "peak_gib": peak})
        torch.cuda.reset_peak_memory_stats()

    for name in teachers:
        add(f"{name} teacher, epoch, full batch", teacher_epoch(graph, name))
    model = SAGE(graph.num_features, 256, graph.num_classes, 3, aggregator="gcn").cuda().eval()
    add("sage teacher, epoch, neighbours (10, 10, 10)", sampled_epoch(graph))
    with torch.no_grad():
        output = model(graph.x, graph.adj).detach()
        add("sage teacher, output", milliseconds(lambda: model(graph.x, graph.adj), 3))
    weighted = graph.with_influence(torch.rand(graph.num_nodes, device="cuda"))
    add("compile infgrand", milliseconds(lambda: InfGraND().prepare(weighted, output), 3))
    if size == "arxiv":
        add("influence of all nodes, exact", milliseconds(lambda: infgrand(graph.x, graph.adj), 1, 1))
    output = TeacherOutput(4 * graph.x @ torch.randn(graph.num_features, graph.num_classes, device="cuda"))
    for width in (256, 2048) if size == "arxiv" else (256,):  # 2,048 wide, products would take over 100 GB
        add(f"student's epoch, {width} wide, full batch", student_epoch(graph, output, width))
    return found


def teacher_epoch(graph: Graph, name: str) -> float:
    """A full-batch epoch, evaluation included."""
    keys = {"heads": 4} if name == "gat" else {}
    model = TEACHERS[name](graph.num_features, 256, graph.num_classes, 3, **keys).cuda()
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    way = WAYS["full"](model, graph, Training(), 0)

    def epoch() -> None:
        for terms in way.steps(0):
            terms["loss"].backward()
            optimizer.step()
            optimizer.zero_grad()
        with torch.no_grad():
            way.score()

    return milliseconds(epoch, 3, 2)


def sampled_epoch(graph: Graph) -> float:
    """All training nodes once, 1,024 a step."""
    model = SAGE(graph.num_features, 256, graph.num_classes, 3, aggregator="gcn").cuda()
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    way = WAYS["neighbours"](model, graph, Training(teacher_batches="neighbours"), 0)

    def epoch() -> None:
        for terms in way.steps(0):
            terms["loss"].backward()
            optimizer.step()
            optimizer.zero_grad()

    return milliseconds(epoch, 1, 1)


def student_epoch(graph: Graph, output: TeacherOutput, width: int, epochs: int = 40) -> float:
    """Of the training loop as it is, evaluation included."""
    student = functools.partial(MLP, num_layers=3, hidden_dim=width)
    view = apply_setting(graph, "transductive", 0)
    teacher_result = TeacherResult(None, output, {}, None, {"given": "drawn"}, None)  # type: ignore[arg-type]

    def seconds(epochs: int) -> float:
        training = Training(epochs, patience=10**6)
        spec = resolve(method="infgrand", influence="none", student=student, training=training)
        return train_student(view, spec, teacher_result, 0, []).fit.seconds

    seconds(epochs)  # kernels are compiled in the first one
    return 1000 * (seconds(epochs) - seconds(20)) / (epochs - 20)
