"""SimMLP's two phases: how long each one trains, and at which rate."""

import functools

import pytest
import torch

from graphkd import GraphKDError, Training, students
from graphkd.datasets.setting import apply_setting
from graphkd.methods import SimMLP
from graphkd.methods.simmlp import reconstruction_error
from graphkd.sparse import SparseMatrix
from graphkd.spec import resolve
from graphkd.testing.graphs import small_graph
from graphkd.training.fit.train_state import Log
from graphkd.training.stages.student import train_student
from graphkd.training.stages.teacher import train_teacher


def trained(method: SimMLP, training: Training) -> Log:
    """The records of both phases."""
    student = functools.partial(students.MLP, hidden_dim=8)
    spec, view, log = resolve("gcn", student, method, training=training), apply_setting(small_graph()), Log()
    teacher_result = train_teacher(view, spec, 0, Log())
    train_student(view, spec, teacher_result, 0, log)
    return log


def test_patience_ends_the_probe_but_not_the_pretraining() -> None:
    log = trained(SimMLP(pretrain_epochs=40), Training(max_epochs=400, patience=2))
    stages = [record["stage"] for record in log]
    assert stages.count("student-pretrain") == 40
    assert stages.count("student") < 400


@pytest.mark.parametrize(("probe_lr", "rate"), [(None, 0.001), (0.5, 0.5)])
def test_the_probe_has_its_own_rate(probe_lr: float | None, rate: float) -> None:
    method = SimMLP(probe_lr=probe_lr)
    method.build(lambda: students.MLP(8, 4, 3), method.prepare(small_graph(), None), None)  # type: ignore[arg-type]
    ((probe,), (encoder,)) = (
        getattr(method, f"{name}_groups")(*method._student, 0.001) for name in ("probe", "encoder")
    )
    assert (probe["lr"], encoder["lr"]) == (rate, 0.001)


def test_the_error_of_sparse_features_is_that_of_dense_ones() -> None:
    """And so are its gradients."""
    generator = torch.Generator().manual_seed(0)
    dense = torch.rand(30, 12, generator=generator).double()
    dense = dense * (torch.rand(30, 12, generator=generator) < 0.3)
    h = torch.rand(30, 5, generator=generator).double().requires_grad_()
    decoder = torch.nn.Linear(5, 12).double()
    results = []
    for x in (dense, SparseMatrix.from_torch(dense.to_sparse_csr())):
        error = reconstruction_error(decoder, h, x)
        results.append([error, *torch.autograd.grad(error, [h, *decoder.parameters()])])
    for mine, other in zip(*results, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("probe_lr", [0, -1.0, float("nan"), "fast", True])
def test_a_rate_outside_its_range_is_refused(probe_lr: object) -> None:
    with pytest.raises(GraphKDError, match="method.probe_lr is"):
        SimMLP(probe_lr=probe_lr)  # type: ignore[arg-type]


def test_the_probe_leaves_the_encoder_without_a_gradient() -> None:
    method = SimMLP()
    targets = method.prepare(small_graph(), None)  # type: ignore[arg-type]
    student = method.build(lambda: students.MLP(8, 4, 3), targets, None)  # type: ignore[arg-type]
    method.probing_step(student, targets)["loss"].backward()
    encoder, probe = student.layers
    assert encoder.weight.grad is None
    assert probe.weight.grad.abs().sum() > 0
    assert all(parameter.requires_grad for parameter in student.parameters())
