"""Losses of several students by one call are those of each."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd.datasets import Graph
from graphkd.methods import GLNN, MLP, InfGraND, Method, Targets, fold_kernel
from graphkd.methods.base import stackable
from graphkd.methods.stacked import stacked
from graphkd.students import StudentOutput
from graphkd.teachers import TeacherOutput
from tests.conftest import make_data


def targets_of(method: Method, seeds: range) -> list[Targets]:
    """Teachers differ, and so do the labelled nodes: each has another number of them."""
    found = []
    for seed in seeds:
        graph = Graph.from_data(make_data())
        graph = replace(graph, train=graph.train[: len(graph.train) - seed])
        draw = torch.Generator().manual_seed(seed)
        logits = torch.randn(graph.num_nodes, graph.num_classes, generator=draw)
        found.append(method.prepare(graph, TeacherOutput(logits, [logits])))
    return found


@given(
    method=st.sampled_from(
        [GLNN(), GLNN(lam=0.4, tau=2.0), InfGraND(), InfGraND(kl="reverse"), InfGraND(lam=1.0)]
    ),
    count=st.integers(1, 4),
    block=st.sampled_from([1, 7, 40, 2**19]),
)
def test_losses_and_gradients_are_those_of_each(method: Method, count: int, block: int) -> None:
    parts = targets_of(method, range(count))
    draw = torch.Generator().manual_seed(count)
    logits = torch.randn(count, *parts[0].soft.table.shape, generator=draw)
    at_once = logits.clone().requires_grad_()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fold_kernel, "BLOCK", block)
        found = method.loss(StudentOutput(at_once, []), stacked(parts))
        found["loss"].sum().backward()
    for k, part in enumerate(parts):
        own = logits[k].clone().requires_grad_()
        expected = method.loss(StudentOutput(own, []), part)
        expected["loss"].backward()
        assert {name: float(term[k].detach()) for name, term in found.items()} == pytest.approx(
            {name: float(term.detach()) for name, term in expected.items()}, rel=1e-5, abs=1e-6
        )
        torch.testing.assert_close(at_once.grad[k], own.grad)


def test_smoothed_labels_are_smoothed_in_each() -> None:
    parts = [replace(part, label_smoothing=0.3) for part in targets_of(GLNN(lam=1.0), range(2))]
    logits = torch.randn(2, *parts[0].soft.table.shape, generator=torch.Generator().manual_seed(0))
    expected = torch.stack([part.label_loss(mine) for part, mine in zip(parts, logits, strict=True)])
    torch.testing.assert_close(stacked(parts).label_loss(logits), expected)
    plain = [replace(part, label_smoothing=0.0) for part in parts]
    assert not torch.allclose(stacked(plain).label_loss(logits), expected)
    assert not stackable([GLNN(lam=1.0)] * 2, [parts[0], plain[1]])


def test_a_row_that_fills_up_needs_no_label() -> None:
    parts = targets_of(GLNN(lam=1.0), range(3))
    hidden = [replace(part, labels=torch.where(part.label_weight == 0, -1, part.labels)) for part in parts]
    logits = torch.randn(3, *parts[0].soft.table.shape)
    assert torch.equal(stacked(hidden).label_loss(logits), stacked(parts).label_loss(logits))


def test_what_one_call_cannot_do_is_known() -> None:
    class Own(GLNN):
        def loss(self, output: StudentOutput, batch: Targets) -> dict[str, torch.Tensor]:
            return {"loss": output.logits.sum()}

    class Trained(GLNN):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(()))

    parts = targets_of(GLNN(), range(2))
    colder = targets_of(GLNN(tau=2.0), range(1, 2))
    assert stackable([GLNN(), GLNN()], parts)
    assert stackable([InfGraND(), InfGraND(gamma2=0.0)], parts)
    assert not stackable([GLNN(), MLP()], parts)
    assert not stackable([GLNN(), GLNN(lam=0.5)], parts)
    assert not stackable([GLNN(), GLNN(tau=2.0)], [parts[0], *colder])
    assert not stackable([Own(), Own()], parts)
    assert not stackable([Trained(), Trained()], parts)
