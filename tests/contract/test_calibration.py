"""Every calibration with every method: finite, resumed with the same bits; batches and shares add up."""

import functools
import tempfile
from pathlib import Path

import pytest
import torch

from graphkd import GraphKDError, calibration, methods
from graphkd.calibration import CTKD, DTS, Calibration, FixedTemperature
from graphkd.distributed import Shard
from graphkd.methods import Epoch, Targets
from graphkd.registry import catalogue
from graphkd.runs import SeedRun
from graphkd.spec import DistillSpec, resolve
from graphkd.students import MLP
from graphkd.testing.graphs import small_graph
from graphkd.testing.killed import killed_after
from graphkd.testing.methods import gradients, in_double, takes_batches, teacher_output
from graphkd.training.fit.batches import Batches
from graphkd.training.fit.task import DistillationTask
from graphkd.training.settings import Training
from graphkd.training.stages.student import start_task
from graphkd.training.stages.targets import prepared
from tests.contract.test_methods import SHORT

KINDS = {
    **{name: part for name, part in catalogue(calibration).items() if name != "none"},
    "ctkd_per_sample": functools.partial(CTKD, ramp=2, per_sample=True),
    "dts_monotone": functools.partial(DTS, "monotone"),
    "dts_without_square": functools.partial(DTS, tau_squared=False),
    "fixed_squared": functools.partial(FixedTemperature, 2.0, 3.0, tau_squared=True),
}
CORE_KINDS = ("ctkd", "ctkd_per_sample", "dts_monotone", "dtkd", "normkd", "logit_standardization")
"""One that trains, one that trains per node, one with state, per node, with weights of nodes, one that stays."""

FOLDED = ("glnn", "krd")
"""Targets per node, and over edges that are drawn anew."""


WHOLE = [
    pytest.param(method, kind, None, marks=() if method in FOLDED and kind in CORE_KINDS else pytest.mark.slow)
    for method in catalogue(methods)
    for kind in KINDS
]
BATCHES = [
    pytest.param(method, kind, 16, marks=pytest.mark.slow)
    for place, method in enumerate(catalogue(methods))
    for number, kind in enumerate(KINDS)
    if (place + number) % 4 == 0  # steps of batches are alike: each kind and each method has some
]
CASES = [*WHOLE, *BATCHES]


def spec_of(method: str, part: Calibration, batch_size: int | None = None) -> DistillSpec:
    chosen = SHORT.get(method, catalogue(methods)[method])()
    chosen.lam = chosen.lam or 0.5  # else no label is read
    network = teacher_output(small_graph(), chosen.needs_teacher).model
    training = Training(max_epochs=5, patience=5, batch_size=batch_size)
    return resolve(
        network, functools.partial(MLP, hidden_dim=6, dropout=0.3), chosen, training=training, calibration=part
    )


def run(spec: DistillSpec, cache=None) -> SeedRun:
    return SeedRun.train(small_graph(), spec, 1, cache=cache)


def tried(method: str, kind: str, batch_size: int | None) -> tuple[DistillSpec, SeedRun] | str:
    """A run and its spec, or the line that refuses it."""
    try:
        spec = spec_of(method, KINDS[kind](), batch_size)
        if batch_size is not None and not takes_batches(spec):
            pytest.skip("takes no batches")
        return spec, run(spec)
    except GraphKDError as error:
        return str(error)


@pytest.mark.parametrize(("method", "kind", "batch_size"), CASES)
def test_killed_and_resumed_it_ends_with_the_same_bits_or_is_refused(
    method: str, kind: str, batch_size: int | None
) -> None:
    outcome = tried(method, kind, batch_size)
    if isinstance(outcome, str):
        assert "\n" not in outcome
        assert f"calibration={KINDS[kind]().name}" in outcome
        return
    spec, whole = outcome
    with tempfile.TemporaryDirectory() as folder:
        again = killed_after(functools.partial(run, spec), Path(folder), 2)
    states = whole.distilled.task.state_dict(), again.distilled.task.state_dict()
    assert states[0].keys() == states[1].keys()
    assert all(tensor.isfinite().all() for tensor in states[0].values())
    assert [name for name in states[0] if not torch.equal(states[0][name], states[1][name])] == []
    assert whole.log == again.log


def started(kind: str) -> tuple[DistillationTask, Targets]:
    """GLNN without dropout in float64, in its fourth epoch."""
    graph, teacher = small_graph(), teacher_output(small_graph())
    spec = spec_of("glnn", KINDS[kind]())
    spec = resolve(
        teacher, functools.partial(MLP, hidden_dim=6, dropout=0.0), spec.method, calibration=spec.calibration
    )
    targets = prepared(spec, graph, teacher, 0)
    task = start_task(graph, spec, targets, 0, teacher).double()
    rows = task.training_rows(targets)
    logits = task.student(rows.inputs.double()).logits.detach()
    task.on_epoch_start(Epoch(4, 10, 0, torch.device("cpu"), lambda: logits), rows)
    return task, in_double(rows)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_batches_and_losses_of_shares_make_up_those_of_all_rows(kind: str) -> None:
    task, targets = started(kind)
    phase = task.method.phases()[-1]
    whole = gradients(task, phase, [targets], targets.num_rows)
    batches = list(Batches(targets, 7, 0, torch.device("cpu")).epoch(1))
    for one, two in zip(gradients(task, phase, batches, targets.num_rows), whole, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-6, atol=1e-9)
    loss, parts = task(targets)["loss"], []
    for rows in torch.arange(targets.num_rows).split(40):
        share = Shard(slice(int(rows[0]), int(rows[-1]) + 1), targets.num_rows)
        parts.append(task(targets.select(rows).as_shard(share, 1.0))["loss"])
    torch.testing.assert_close(sum(parts), loss, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cuda_graph_holds_only_those_that_stay(kind: str) -> None:
    task, _ = started(kind)
    moves = not kind.startswith(("fixed", "normkd", "logit_"))
    assert (task.is_static, task.moves_targets) == (not moves, moves)


def test_an_added_calibration_leaves_the_students_start_alone() -> None:
    states = [started(kind)[0].student.state_dict() for kind in ("fixed", "ctkd_per_sample")]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
