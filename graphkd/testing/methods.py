"""What every method promises, as functions that raise ``AssertionError`` where it does not."""

from __future__ import annotations

import copy
import functools
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from graphkd import matching, students, teachers
from graphkd.datasets import Graph
from graphkd.deploy import load_bundle
from graphkd.encoders import Propagated
from graphkd.methods import Method, Phase, Targets
from graphkd.registry import lookup, parameters_of, source_of
from graphkd.runs import SeedRun
from graphkd.spec import DistillSpec, resolve
from graphkd.teachers import TeacherOutput
from graphkd.testing.graphs import small_graph
from graphkd.testing.killed import killed_after
from graphkd.training.fit.batches import Batches
from graphkd.training.fit.task import DistillationTask
from graphkd.training.settings import Training
from graphkd.training.stages.student import start_task

Make = Callable[[], Method]
"""A class, or a function, that makes a method with its defaults."""

CPU = torch.device("cpu")


def has_a_name_and_a_source(make: Make) -> None:
    """It can be selected by name, and its docstring names where it comes from."""
    assert isinstance(make().name, str), "it needs a class attribute 'name'"
    assert make().name, "it needs a class attribute 'name'"
    assert source_of(type(make())), "its docstring needs a line 'Source: …'"


def keeps_its_settings(make: Make) -> None:
    """Arguments have defaults and are kept under their own names, from which a run's configuration is written."""
    method = make()
    missing = [name for name in parameters_of(type(method)) if not hasattr(method, name)]
    assert not missing, f"it does not keep {', '.join(missing)} under that name"


def takes_any_inputs(make: Make) -> None:
    """``prepare`` takes the inputs that the encoder computed, ``graph.inputs``, whichever encoder that is."""
    graph, method = small_graph(), make()
    teacher = teacher_output(graph, method.needs_teacher)
    for encoder in (method.encoder(), Propagated(hops=1, pooling="concat")):
        encoded = graph.with_inputs(encoder.fit(graph).mix(graph.x, graph.adj))
        targets = method.prepare(encoded, teacher)
        assert targets.inputs is encoded.inputs, "prepare reads graph.x where it has to read graph.inputs"
        assert targets.inputs.shape == (graph.num_nodes, encoder.width(graph.num_features, graph.num_classes))
        assert targets.num_rows == graph.num_nodes


def keeps_nothing_in_prepare(make: Make) -> None:
    """``prepare`` leaves the method as it was: all seeds of a run share it."""
    graph, method = small_graph(), make()
    before = {name: repr(value) for name, value in vars(method).items()}
    method.prepare(graph, teacher_output(graph, method.needs_teacher))
    after = {name: repr(value) for name, value in vars(method).items()}
    assert before == after, "prepare changed the method: keep state in buffers that build registers"


def reads_labels_of_training_nodes_alone(make: Make) -> None:
    """Targets are the same whatever the labels of validation and test nodes are."""
    graph = small_graph()
    rest, y = torch.cat([graph.val, graph.test]), graph.y.clone()
    y[rest] = (y[rest] + 1) % graph.num_classes
    output = teacher_output(graph, make().needs_teacher)
    one, two = (make().prepare(each, output) for each in (graph, replace(graph, y=y)))
    used = one.label_weight != 0
    assert torch.equal(one.label_weight, two.label_weight), "label_weight depends on hidden labels"
    assert torch.equal(one.labels[used], two.labels[used]), "labels of nodes with weight differ"
    tables = [(name, table) for name, table in one.tables.items()]
    if one.soft is not None and two.soft is not None:
        assert torch.equal(one.soft.table, two.soft.table), "soft targets depend on hidden labels"
    assert all(torch.equal(table, two.tables[name]) for name, table in tables), "tables depend on hidden labels"


def trains_the_student_only(make: Make) -> None:
    """Every phase has a finite scalar loss; over all of them every parameter of the student gets a gradient."""
    task, targets = task_of(make)
    reached: set[str] = set()
    for phase in task.method.phases():
        terms = step(task, phase, targets)
        assert "loss" in terms, f"{phase.step} returns no 'loss'"
        scalars = all(term.dim() == 0 and bool(term.isfinite()) for term in terms.values())
        assert scalars, "its terms are no finite scalars"
        task.zero_grad()
        torch.autograd.backward(terms["loss"])
        moved = {id(each) for group in task.parameter_groups(0.1) for each in group["params"]}
        for name, parameter in task.student.named_parameters():
            if parameter.grad is not None and bool(parameter.grad.abs().sum() > 0) and id(parameter) in moved:
                reached.add(name)
    missing = [name for name, _ in task.student.named_parameters() if name not in reached]
    assert not missing, f"no phase trains {', '.join(missing)}"


def batches_add_up(make: Make) -> None:
    """``Σ_b B_b / N ∇loss_b = ∇loss`` within 1e-6 of the largest entry, unless a step moves state or draws.

    A declared ``ratio_of_sums`` has finite gradients in batches alone.
    """
    for phase in make().phases():
        task, targets = task_of(make, double=True)
        if moves_in_a_step(task, phase, targets):
            continue
        if task.method.ratio_of_sums:
            parts = gradients(task, phase, list(Batches(targets, 7, 0, CPU).epoch(1)), targets.num_rows)
            assert all(bool(each.isfinite().all()) for each in parts), "gradients of batches are not finite"
            continue
        whole = gradients(task, phase, [targets], targets.num_rows)
        largest = max(float(each.abs().max()) for each in whole)
        for size in (7, 19):
            batches = list(Batches(targets, size, 0, CPU).epoch(1))
            for one, two in zip(gradients(task, phase, batches, targets.num_rows), whole, strict=True):
                error = float((one - two).abs().max())
                assert error <= 1e-6 * largest, f"batches of {size} rows differ by {error / largest:.1e}"


def shares_rows_as_declared(make: Make) -> None:
    """Where ``row_sum`` is declared or derived, the losses of two shares of the rows add up to the whole."""
    from graphkd.distributed import Shard

    task, targets = task_of(make, double=True)
    if not task.method.is_row_sum:
        return
    phase, half = task.method.phases()[-1], targets.num_rows // 2
    whole = step(task, phase, targets)["loss"]
    parts = []
    for rows in (slice(0, half), slice(half, targets.num_rows)):
        batch = targets.select(torch.arange(targets.num_rows)[rows])
        parts.append(step(task, phase, batch.as_shard(Shard(rows, targets.num_rows), 1.0))["loss"])
    torch.testing.assert_close(parts[0] + parts[1], whole, rtol=1e-9, atol=1e-11)


def resumes_with_the_same_bits(make: Make) -> None:
    """Killed after every first, second and fourth checkpoint, it ends with the bits of an unbroken run."""
    for batch_size in (None, 16):
        spec = spec_of(make, batch_size)
        if batch_size is not None and not takes_batches(spec):
            continue
        whole = run(spec)
        for life in (1, 2, 4) if batch_size is None else (2,):
            with tempfile.TemporaryDirectory() as folder:
                again = killed_after(functools.partial(run, spec), Path(folder), life)
            states = whole.distilled.task.state_dict(), again.distilled.task.state_dict()
            assert states[0].keys() == states[1].keys(), "a restart leaves other state behind"
            other = [name for name, tensor in states[0].items() if not torch.equal(tensor, states[1][name])]
            assert not other, f"killed after every {life} checkpoints, {', '.join(other)} end differently"
            assert whole.log == again.log, "a restart leaves another log behind"


def is_shipped(make: Make) -> None:
    """Its student is saved, loaded and answers as it did in training."""
    graph, trained = small_graph(), run(spec_of(make, None))
    with tempfile.TemporaryDirectory() as folder:
        trained.write(Path(folder) / "run")
        model = load_bundle(Path(folder) / "run")
        x = graph.x if isinstance(graph.x, Tensor) else graph.x.to_dense()
        edges = torch.stack([graph.adj.matrix.col, graph.adj.matrix.row])
        encoding = trained.distilled.encoding
        nodes = None if encoding.vectors is None else torch.arange(graph.num_nodes).numpy()
        proba = model.predict_proba(x.numpy(), edges if encoding.hops else None, nodes=nodes)
    inputs = encoding.mix(graph.x, graph.adj)
    with torch.no_grad():
        expected = torch.softmax(trained.distilled.model.cpu()(inputs).logits, dim=1)
    torch.testing.assert_close(torch.as_tensor(proba), expected, rtol=1e-4, atol=1e-6)


METHOD_CHECKS: tuple[Callable[[Make], None], ...] = (
    has_a_name_and_a_source,
    keeps_its_settings,
    takes_any_inputs,
    keeps_nothing_in_prepare,
    reads_labels_of_training_nodes_alone,
    trains_the_student_only,
    batches_add_up,
    shares_rows_as_declared,
    resumes_with_the_same_bits,
    is_shipped,
)
"""In the order in which a mistake in one would show in the later ones."""


def check_method(make: Make) -> None:
    """Runs all checks of ``METHOD_CHECKS`` on a method.

    Args:
        make: its class, or a function that returns an instance.

    Raises:
        AssertionError: it breaks a promise; the message says which.

    >>> from graphkd.methods import GLNN
    >>> check_method(GLNN)
    """
    for check in METHOD_CHECKS:
        try:
            check(make)
        except AssertionError as error:
            raise AssertionError(f"{check.__name__}: {error}") from error


def teacher_output(graph: Graph, name: str = "") -> TeacherOutput:
    """Returns the output of a small teacher at its start, which can be asked about other graphs.

    Args:
        graph: the graph.
        name: of the teacher, by default SAGE's.
    """
    torch.manual_seed(0)
    teacher = lookup(teachers, name or "sage")(graph.num_features, 6, graph.num_classes, num_layers=2).eval()

    def of(other: Graph) -> TeacherOutput:
        with torch.no_grad():
            return teacher(other.x, other.adj).detach()  # type: ignore[no-any-return]

    return replace(of(graph), model=teacher, of=of)


def spec_of(make: Make, batch_size: int | None) -> DistillSpec:
    """Returns a short run of a method."""
    student = functools.partial(students.MLP, hidden_dim=6, dropout=0.3)
    teacher = functools.partial(lookup(teachers, make().needs_teacher or "sage"), hidden_dim=6)
    training = Training(max_epochs=5, patience=3, batch_size=batch_size)
    return resolve(teacher, student, make(), matching.NoMatching(), training=training)


def run(spec: DistillSpec, cache: Any = None) -> SeedRun:
    """Trains one seed of it."""
    return SeedRun.train(small_graph(), spec, 1, cache=cache)


def task_of(make: Make, double: bool = False) -> tuple[DistillationTask, Targets]:
    """Returns the task of a method at its start, without dropout, and its targets."""
    graph = small_graph()
    spec = replace(spec_of(make, None), student=functools.partial(students.MLP, hidden_dim=6, dropout=0.0))
    teacher = teacher_output(graph, spec.method.needs_teacher)
    targets = spec.method.prepare(graph, teacher)
    torch.manual_seed(0)
    task = start_task(graph, spec, targets, 0, teacher)
    return (task.double(), in_double(targets)) if double else (task, targets)


def in_double(targets: Targets) -> Targets:
    """Returns the targets in float64."""

    def wide(table: Tensor) -> Tensor:
        return table.double() if table.is_floating_point() else table

    soft = targets.soft
    if soft is not None:
        rows = None if soft.adjust_rows is None else wide(soft.adjust_rows)
        soft = replace(soft, table=wide(soft.table), row_weight=wide(soft.row_weight), adjust_rows=rows)
    inputs, edges = targets.inputs, targets.edges
    return replace(
        targets,
        inputs=wide(inputs) if isinstance(inputs, Tensor) else inputs,
        soft=soft,
        tables={name: wide(table) for name, table in targets.tables.items()},
        edges=None if edges is None else edges.to(torch.float64),
    )


def step(task: DistillationTask, phase: Phase, batch: Targets) -> dict[str, Tensor]:
    """Returns the terms of one step of a phase."""
    task.phase = phase
    return task(batch)  # type: ignore[no-any-return]


def gradients(task: DistillationTask, phase: Phase, batches: list[Targets], rows: int) -> list[Tensor]:
    """Returns ``Σ_b B_b / N ∇loss_b``."""
    task.zero_grad()
    for batch in batches:
        torch.autograd.backward(step(task, phase, batch)["loss"] * (batch.num_rows / rows))
    return [each.grad.clone() for each in task.parameters() if each.grad is not None]


def moves_in_a_step(task: DistillationTask, phase: Phase, targets: Targets) -> bool:
    """Whether a step changes buffers or draws, after which batches estimate another loss."""
    state, rng = copy.deepcopy(task.state_dict()), torch.get_rng_state()
    step(task, phase, targets)
    same = all(torch.equal(tensor, task.state_dict()[name]) for name, tensor in state.items())
    return not same or not torch.equal(rng, torch.get_rng_state())


def takes_batches(spec: DistillSpec) -> bool:
    """Whether a method takes mini-batches, which it may refuse in one line."""
    from graphkd.errors import GraphKDError

    try:
        run(spec)
    except GraphKDError:
        return False
    return True
