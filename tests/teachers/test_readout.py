"""Jumping knowledge: what the classifier reads, and that without it nothing is another."""

import pytest
import torch
from torch import Tensor

from graphkd import GraphKDError
from graphkd.methods import TINED
from graphkd.methods.teacher_layers import teacher_layers
from graphkd.sparse import Adjacency
from graphkd.teachers import GAT, GCN, GCNII, SAGE, GraphTransformer
from graphkd.teachers.readout import Readout

EDGES = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
STACKS = [GAT, GCN, GCNII, GraphTransformer, SAGE]


@pytest.mark.parametrize("teacher", STACKS)
@pytest.mark.parametrize("jump", ["cat", "max"])
def test_the_classifier_reads_every_hop(teacher: type, jump: str) -> None:
    torch.manual_seed(0)
    model, x, adj = teacher(4, 8, 3, 3, jumping_knowledge=jump).double().eval(), torch.randn(3, 4).double(), None
    adj = Adjacency(EDGES, 3)
    out = model(x, adj)
    first = model.start(x) if model.starts else out.hops[0]
    hops: list[Tensor] = [*out.hops[:-1], model.hop(2, adj, out.hops[1], first)[1]]
    assert [tuple(hop.shape) for hop in hops] == [(3, 8)] * 3
    weight, bias = model.readout.linear.weight, model.readout.linear.bias
    expected = torch.zeros(3, 3).double()
    for i in range(3):
        if jump == "cat":
            row = torch.cat([hop[i] for hop in hops])
        else:
            row = torch.tensor([max(hop[i, c].item() for hop in hops) for c in range(8)], dtype=torch.float64)
        for c in range(3):
            expected[i, c] = (weight[c] * row).sum() + bias[c]
    torch.testing.assert_close(out.logits, expected)
    assert len(out.hops) == 3
    assert out.hops[-1] is out.logits


@pytest.mark.parametrize("teacher", [GAT, GCN, GraphTransformer, SAGE])
def test_none_is_the_network_without_it(teacher: type) -> None:
    torch.manual_seed(0)
    plain = teacher(4, 8, 3, 3)
    torch.manual_seed(0)
    said = teacher(4, 8, 3, 3, jumping_knowledge="none")
    assert said.readout is None
    assert plain.state_dict().keys() == said.state_dict().keys()
    assert all(torch.equal(*pair) for pair in zip(plain.parameters(), said.parameters(), strict=True))
    assert not any("readout" in name for name in plain.state_dict())


def test_dropout_before_the_classifier_is_for_training_only() -> None:
    torch.manual_seed(0)
    model = GCN(4, 200, 3, 1, dropout=0.9, jumping_knowledge="cat")
    x, adj = torch.randn(3, 4), Adjacency(EDGES, 3)
    assert not torch.equal(model(x, adj).logits, model(x, adj).logits)
    model.eval()
    assert torch.equal(model(x, adj).logits, model(x, adj).logits)


def test_a_readout_of_the_last_hop_alone() -> None:
    readout = Readout("none", 4, 3, 2)
    last = torch.randn(5, 4)
    assert readout.joined([torch.zeros(5, 4), last]) is last
    assert not readout.jumps


def test_layers_that_all_read_are_not_copied() -> None:
    with pytest.raises(GraphKDError, match="method=tined copies .* use teacher.jumping_knowledge=none"):
        teacher_layers(GCN(4, jumping_knowledge="max"), TINED.name)
    with pytest.raises(GraphKDError, match="was given GCNII: choose teacher=sage, gcn or gat"):
        teacher_layers(GCNII(4), TINED.name)
