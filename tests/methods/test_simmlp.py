from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.methods import SimMLP, Targets, simmlp
from graphkd.methods.simmlp import aggregated, aggregation, masked
from graphkd.sparse import Adjacency, Inputs, SparseMatrix
from graphkd.students import MLP, StudentOutput
from graphkd.teachers import TeacherOutput
from tests.methods import literal as formulas
from tests.methods.twins import graph_of
from tests.sparse.test_matrix import sparse
from tests.strategies import edge_lists, seeded, tables

RING = torch.tensor([[0, 1, 2, 3, 4, 5, 1, 2], [1, 2, 3, 4, 5, 0, 0, 1]])
NO_TEACHER = TeacherOutput(torch.zeros(6, 4))


def started(method: SimMLP, edges: torch.Tensor = RING, norm: str = "none") -> tuple[MLP, Targets]:
    """A student of width 3 and the targets of six nodes, in float64."""
    x = torch.randn(6, 5, generator=seeded(3), dtype=torch.float64)
    targets = method.prepare(graph_of(edges, 6, x), NO_TEACHER)
    torch.manual_seed(0)
    student = MLP(5, 3, 4, num_layers=3, dropout=0.4, norm=norm).double()
    assert method.build(lambda: student, targets, NO_TEACHER) is student
    method.double()
    return student, replace(targets, edges=targets.edges.to(torch.float64))


def predicts(z: torch.Tensor, asked: list[Inputs] | None = None) -> simmlp.Student:
    """A student whose last hidden layer is ``z``."""

    def student(inputs: Inputs) -> StudentOutput:
        if asked is not None:
            asked.append(inputs)
        return StudentOutput(torch.zeros(6, 4), [torch.zeros(6, 3), z])

    return student


def gradients_of(loss: torch.Tensor, tensors: list[torch.Tensor]) -> list[torch.Tensor]:
    found = torch.autograd.grad(loss, tensors, retain_graph=True, allow_unused=True)
    pairs = zip(found, tensors, strict=True)
    return [torch.zeros_like(tensor) if gradient is None else gradient for gradient, tensor in pairs]


@settings(max_examples=12)
@given(
    edges=edge_lists(6),
    z=tables(6, 3),
    hops=st.integers(1, 3),
    eta=st.sampled_from([1.0, 2.0, 1.5]),
    share=st.sampled_from([0.0, 0.5]),
    weight=st.sampled_from([0.0, 0.7]),
)
def test_the_first_phase_equals_its_formula(
    edges: torch.Tensor, z: torch.Tensor, hops: int, eta: float, share: float, weight: float
) -> None:
    """Value, and gradient to z, predictor and decoder: none through h but the decoder's."""
    method = SimMLP(eta, hops, feature_mask=0.25, edge_mask=share, reconstruction=weight)
    _, targets = started(method, edges)
    z = (z + 0.1).requires_grad_()
    left: list[SparseMatrix] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simmlp, "aggregation", lambda *given: left.append(aggregation(*given)) or left[-1])
        terms = method.pretraining_step(predicts(z), targets)
    kept = left[0].filter(left[0].value != 0)
    h = formulas.aggregated(z, torch.stack([kept.col, kept.row]), hops)
    assume(bool((h.norm(dim=1) > 1e-3).all()))  # the cosine of rounding errors is any number
    expected = formulas.cosine_loss(method.predictor(z), h, eta)
    torch.testing.assert_close(terms["invariance"], expected, rtol=1e-10, atol=1e-12)
    if weight:
        error = formulas.mean_squared(method.decoder(h), targets.inputs)
        torch.testing.assert_close(terms["reconstruction"], error, rtol=1e-10, atol=1e-12)
        expected = expected + weight * error
    torch.testing.assert_close(terms["loss"], expected, rtol=1e-10, atol=1e-12)
    trained = [z, *method.parameters()]
    for ours, theirs in zip(gradients_of(terms["loss"], trained), gradients_of(expected, trained), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-10)


def test_no_gradient_goes_through_what_is_predicted() -> None:
    """Rows whose prediction is constant could get one through h alone."""
    method = SimMLP(edge_mask=0.0)
    _, targets = started(method)
    z = torch.rand(6, 3, generator=seeded(0), dtype=torch.float64).requires_grad_()

    class First(torch.nn.Module):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return rows * torch.tensor([1.0, 0, 0, 0, 0, 0]).unsqueeze(1)

    method.predictor = First()
    method.pretraining_step(predicts(z), targets)["loss"].backward()
    assert z.grad[0].abs().sum() > 0
    assert not z.grad[1:].any()


@given(edges=edge_lists(6), share=st.sampled_from([0.0, 0.3, 0.9]), seed=st.integers(0, 99))
def test_what_is_left_of_the_graph_is_normalised_with_self_loops(
    edges: torch.Tensor, share: float, seed: int
) -> None:
    raw = Adjacency(edges, 6).normalize("none", self_loops=1, dtype=torch.float64)
    torch.manual_seed(seed)
    left = aggregation(raw, share)
    kept = left.filter(left.value != 0)
    loops = {(i, j) for i, j in zip(kept.row.tolist(), kept.col.tolist(), strict=True) if i == j}
    assert loops == {(i, i) for i in range(6)}
    dense = formulas.symmetric(torch.stack([kept.col, kept.row]), 6, 1.0)
    torch.testing.assert_close(left.to_dense(), dense, rtol=1e-12, atol=1e-12)
    if share == 0.0:
        torch.testing.assert_close(left.to_dense(), formulas.symmetric(edges, 6, 1.0), rtol=1e-12, atol=1e-12)


def test_shares_of_edges_and_entries_are_left_out_and_drawn_by_torch() -> None:
    torch.manual_seed(0)
    raw = Adjacency(RING, 6).normalize("none", self_loops=1)
    edges = [int((aggregation(raw, 0.3).value != 0).sum()) - 6 for _ in range(300)]
    assert abs(sum(edges) - 0.7 * 8 * 300) < 4 * (0.21 * 8 * 300) ** 0.5
    table = 1 + torch.rand(40, 50)
    for kept in (masked(table, 0.3), masked(sparse(table), 0.3).to_dense()):
        assert bool(((kept == table) | (kept == 0)).all())
        assert abs(int((kept == 0).sum()) - 600) < 4 * (0.21 * 2000) ** 0.5


def test_masks_are_drawn_anew_in_every_step() -> None:
    method, asked, left = SimMLP(feature_mask=0.3, edge_mask=0.3), [], []
    _, targets = started(method)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simmlp, "aggregation", lambda *given: left.append(aggregation(*given)) or left[-1])
        for _ in range(5):
            method.pretraining_step(predicts(torch.ones(6, 3).double(), asked), targets)
    assert len({tuple((inputs == 0).flatten().tolist()) for inputs in asked}) == 5
    assert len({tuple((edges.value != 0).tolist()) for edges in left}) > 2


def test_a_perfect_prediction_has_a_loss_of_zero_whatever_the_exponent() -> None:
    """Rounding leaves some cosines above 1."""
    method = SimMLP(eta=1.5, edge_mask=0.0)
    _, targets = started(method, torch.zeros(2, 0).long())
    targets = replace(targets, edges=targets.edges.to(torch.float32))

    class Perfect(torch.nn.Module):
        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return 2 * aggregated(aggregation(targets.edges, 0.0), z, method.hops)

    method.predictor = Perfect()
    for seed in range(20):
        z = torch.rand(6, 3, generator=seeded(seed))
        assert float(method.pretraining_step(predicts(z), targets)["loss"]) < 1e-6


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_the_probe_trains_the_last_layer_on_labels_with_the_encoder_as_it_is_shipped(norm: str) -> None:
    method = SimMLP()
    student, targets = started(method, norm=norm)
    before = {name: tensor.clone() for name, tensor in student.state_dict().items()}
    student.train()
    first, second = (method.probing_step(student, targets)["loss"] for _ in range(2))
    assert torch.equal(first, second)  # no dropout
    logits = student(targets.inputs).logits
    rows = torch.tensor([0, 1, 2])
    torch.testing.assert_close(first, torch.nn.functional.cross_entropy(logits[rows], targets.labels[rows]))
    assert all(torch.equal(tensor, before[name]) for name, tensor in student.state_dict().items())
    (group,) = method.probe_groups(student, 0.25)
    assert [id(each) for each in group["params"]] == [id(each) for each in student.layers[-1].parameters()]
    assert group["lr"] == 0.25


def test_the_encoder_trains_with_predictor_and_decoder_and_without_the_last_layer() -> None:
    method = SimMLP(reconstruction=0.5)
    student, _ = started(method)
    (group,) = method.encoder_groups(student, 0.5)
    trained = {id(each) for each in group["params"]}
    last = {id(each) for each in student.layers[-1].parameters()}
    assert trained == {id(each) for each in (*student.parameters(), *method.parameters())} - last
    assert len(trained) == 4 + 4 + 2
    assert SimMLP(pretrain_epochs=7).phases()[0].max_epochs == 7
    assert [phase.by_loss for phase in method.phases()] == [True, False]


def test_the_first_phase_takes_all_rows_at_once() -> None:
    method = SimMLP()
    _, targets = started(method)
    with pytest.raises(GraphKDError, match=r"leave training\.batch_size out"):
        method.pretraining_step(predicts(torch.ones(6, 3).double()), targets.select(torch.tensor([0, 1])))


@pytest.mark.parametrize("student", [torch.nn.Linear(5, 4), MLP(5, 3, 4, num_layers=1)])
def test_a_student_without_hidden_layers_is_refused(student: torch.nn.Module) -> None:
    _, targets = started(SimMLP())
    with pytest.raises(GraphKDError, match=r"use student\.num_layers=2 or more"):
        SimMLP().build(lambda: student, targets, NO_TEACHER)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"feature_mask": 1.0}, "method.feature_mask is 1.0: it must lie in"),
        ({"edge_mask": -0.5}, "method.edge_mask is -0.5"),
        ({"hops": 0}, "method.hops is 0: it must be a whole number, 1 or more"),
        ({"pretrain_epochs": 0}, "method.pretrain_epochs is 0"),
        ({"eta": -1.0}, "method.eta is -1.0: it must be a number, 0 or more"),
        ({"reconstruction": float("inf")}, "method.reconstruction is inf"),
    ],
)
def test_bad_settings_are_refused(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        SimMLP(**keys)
