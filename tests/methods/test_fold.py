from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd.methods import SoftTargets
from graphkd.methods.fold import edge_targets, node_targets
from graphkd.methods.infgrand import InfGraND
from graphkd.sparse import Adjacency
from tests import literal
from tests.memory import fit
from tests.methods.twins import assert_same_loss, graph_of
from tests.strategies import edge_lists, tables

TAU = st.sampled_from([0.5, 1.0, 2.0])
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
DTYPES = st.sampled_from(list(TOLERANCE))


@given(teacher=tables(6, 4), student=tables(6, 4), tau=TAU, dtype=DTYPES)
def test_node_targets_equal_the_literal_mean(
    teacher: torch.Tensor, student: torch.Tensor, tau: float, dtype: torch.dtype
) -> None:
    soft = node_targets(teacher.to(dtype), tau)
    assert_same_loss(
        lambda z: soft.loss(z),
        lambda z: literal.node_loss(z, teacher.to(dtype), tau),
        student.to(dtype),
        max(abs(soft.constant), 1e-2),
        TOLERANCE[dtype],
    )


@pytest.mark.parametrize("tau", [0.5, 1.0, 1.3])
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_distributions_are_made_in_double_precision(tau: float, scale: float) -> None:
    """Of logits in single precision, and rounded once."""
    logits = scale * torch.randn(500, 7, generator=torch.Generator().manual_seed(0))
    log_q = torch.log_softmax(logits.double() / tau, dim=1)
    soft = node_targets(logits, tau)
    assert torch.equal(soft.table, (log_q.exp() / 500).float())
    assert soft.constant == pytest.approx(float((log_q.exp() * log_q).sum() / 500), rel=1e-12)


@given(
    edges=edge_lists(6),
    teacher=tables(6, 4),
    student=tables(6, 4),
    weight=tables(6, 1, low=0.0),
    tau=TAU,
    dtype=DTYPES,
    variant=st.sampled_from(["paper", "reference"]),
    kl=st.sampled_from(["forward", "reverse"]),
)
def test_edge_targets_equal_the_literal_sum_over_edges(
    edges: torch.Tensor,
    teacher: torch.Tensor,
    student: torch.Tensor,
    weight: torch.Tensor,
    tau: float,
    dtype: torch.dtype,
    variant: str,
    kl: str,
) -> None:
    """Directed graphs included: the student's node is the receiver, its teachers are the senders."""
    weight = weight[:, 0] + 0.1
    pattern, share = InfGraND(variant=variant)._shares(graph_of(edges, 6))
    soft = edge_targets(teacher.to(dtype), pattern, tau, kl == "reverse", share, weight.double())
    scale = abs(soft.constant) if kl == "forward" else float(soft.row_weight.sum())
    assert_same_loss(
        lambda z: soft.loss(z),
        lambda z: literal.edge_loss(z, teacher.to(dtype), edges, tau, weight, variant, reverse=kl == "reverse"),
        student.to(dtype),
        max(scale, 1e-2),
        TOLERANCE[dtype],
    )


def test_the_direction_of_an_edge_matters() -> None:
    adj = Adjacency(torch.tensor([[0], [1]]), 2)
    teacher = torch.tensor([[4.0, 0.0], [0.0, 4.0]])
    soft = edge_targets(teacher, adj.matrix, tau=1.0)
    torch.testing.assert_close(soft.table, torch.stack([torch.zeros(2), teacher[0].softmax(dim=0)]))


@given(student=tables(6, 4), teacher=tables(6, 4), reverse=st.booleans())
def test_batches_add_up_to_the_whole(student: torch.Tensor, teacher: torch.Tensor, reverse: bool) -> None:
    soft = edge_targets(teacher, Adjacency(torch.tensor([[0, 1], [1, 2]]), 6).structure(1), 1.0, reverse)
    halves = [SoftTargets(soft.table[i], soft.row_weight[i], 0.0, 1.0, reverse) for i in torch.arange(6).split(3)]
    parts = sum(half.loss(student[i]) for half, i in zip(halves, torch.arange(6).split(3), strict=True))
    assert float(soft.constant + parts) == pytest.approx(float(soft.loss(student)))


GRAPH = """
import tempfile
import torch
from graphkd.methods.fold import edge_targets
from graphkd.sparse import Adjacency, propagate
from graphkd.outofcore import TableStore
from pathlib import Path
torch.set_num_threads(1)
def graph(nodes):
    return Adjacency(torch.randint(nodes, (2, 10 * nodes), generator=torch.Generator().manual_seed(0)), nodes)
def made(adj, logits, x):
    edge_targets(logits, adj.normalize(), 1.0, False, torch.ones(len(x)), torch.ones(len(x)))
    propagate(x, adj, 2)
def parts(adj):
    adj.normalize()
    return adj, torch.ones(adj.num_nodes, 40), torch.ones(adj.num_nodes, 64)
with tempfile.TemporaryDirectory() as folder, TableStore(Path(folder), 1_000_000):
    made(*parts(graph(1000)))  # what libraries take once
large = parts(graph(100_000))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells how much memory a process has")
@pytest.mark.slow
def test_in_a_workspace_no_more_memory_is_taken_than_the_budget(tmp_path: Path) -> None:
    """A table of 26 MB from two more, one of 16 MB from one of 32 and a million edges in float64."""
    in_files = f"with TableStore(Path({str(tmp_path)!r}), 20_000_000): made(*large)"
    assert fit(GRAPH, [in_files, "made(*large)"], 20e6) == [True, False]


@pytest.mark.parametrize("reverse", [False, True])
def test_weights_of_a_fold_multiply_those_of_its_senders(reverse: bool) -> None:
    weights = Adjacency(torch.tensor([[0, 1, 2, 3, 4, 0], [1, 2, 3, 4, 5, 3]]), 6).structure(self_loops=1)
    draw = torch.Generator().manual_seed(0)
    logits, senders, more = (torch.rand(6, size, generator=draw).double().squeeze(-1) for size in (4, 1, 1))
    soft = edge_targets(logits, weights, 1.3, reverse, senders=senders)
    soft.refold(sender_weight=more)
    expected = edge_targets(logits, weights, 1.3, reverse, senders=senders * more)
    for one, other in ((soft.table, expected.table), (soft.row_weight, expected.row_weight)):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=0)
    assert float(soft.constant) == pytest.approx(float(expected.constant), rel=1e-12)
    soft.refold(logits=2 * logits)
    expected = edge_targets(2 * logits, weights, 1.3, reverse, senders=senders * more)
    torch.testing.assert_close(soft.table, expected.table, rtol=1e-12, atol=0)
