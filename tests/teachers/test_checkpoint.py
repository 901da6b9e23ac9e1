import pytest
import torch

from graphkd.sparse import Adjacency, as_features
from graphkd.teachers import GAT, GCN, GCNII, SAGE, SGC, GraphTransformer
from tests.conftest import make_data
from tests.networks import teacher_like
from tests.tiers import some_of


@pytest.mark.parametrize(
    "case",
    [
        *((teacher, "none") for teacher in (GCN, SAGE, GAT)),
        *some_of([(GCN, "cat"), (GCNII, "max"), (GCNII, "none"), (GraphTransformer, "cat"), (SGC, "none")], 4),
    ],
)
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("hops", ["after_activation", "before_activation"])
@pytest.mark.parametrize("bag", [False, True])
def test_the_same_bits_with_and_without_dropout_and_norms_included(
    case: tuple[type, str], norm: str, hops: str, bag: bool
) -> None:
    (teacher, jump), data, results = case, make_data(), []
    x = as_features(data.x.to_sparse_csr()) if bag else data.x
    for checkpointed in (False, True):
        torch.manual_seed(0)
        keys = {"norm": norm, "residual": True, "initial_residual": 0.1, "hops": hops, "jumping_knowledge": jump}
        model = teacher_like(teacher, 8, 8, 3, num_layers=4, **keys)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        for _ in range(3):
            out = model(x, Adjacency(data.edge_index, 60), checkpointed=checkpointed)
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(out.logits, data.y).backward()
            optimizer.step()
        results.append([*out.hops, *model.state_dict().values(), torch.rand(1)])
    assert all(torch.equal(one, other) for one, other in zip(*results, strict=True))


def test_only_embeddings_are_kept_for_the_backward_pass() -> None:
    torch.manual_seed(0)
    model, x = GAT(8, 64, 3, 4, norm="layer"), torch.randn(300, 8)
    adj, sizes = Adjacency(torch.randint(300, (2, 3000)), 300), []
    for checkpointed in (False, True):
        kept: dict[int, int] = {}

        def pack(tensor: torch.Tensor, kept: dict[int, int] = kept) -> torch.Tensor:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            out = model(x, adj, checkpointed=checkpointed)
        sizes.append(sum(kept.values()))
    assert out.logits.requires_grad
    assert sizes[1] < sizes[0] / 4
