"""What every exported influence promises; a new one is covered by being exported."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import influence
from graphkd.influence.inputs import INPUTS, inputs_of
from graphkd.registry import catalogue, parameters_of
from graphkd.sparse import Adjacency, SparseMatrix
from tests.strategies import edge_lists, tables

INFLUENCES = catalogue(influence)
LABELS = torch.tensor([0, 1, -1, 1, -1, 0])


def given_inputs(part: Callable[..., Any], logits: torch.Tensor, nodes: torch.Tensor) -> dict[str, Any]:
    """What a run gives an influence that asks for it, its nodes in this order."""
    every = {
        "labels": LABELS[nodes],
        "logits": logits[nodes],
        "perturbed": lambda noise: logits[nodes].square() + 0.0 * noise.sum(),
    }
    assert set(every) == set(INPUTS)
    return {name: every[name] for name in inputs_of(part)}


@pytest.mark.parametrize("name", INFLUENCES)
@given(edges=edge_lists(6), x=tables(6, 3), logits=tables(6, 4), order=st.permutations(range(6)))
def test_weights_in_0_1_that_follow_the_nodes_and_ignore_duplicates(
    name: str, edges: torch.Tensor, x: torch.Tensor, logits: torch.Tensor, order: list[int]
) -> None:
    part, permutation = INFLUENCES[name], torch.tensor(order)
    inputs = given_inputs(part, logits, torch.arange(6))
    weights = part(x, edges, **inputs)
    assert weights.shape == (6,)
    assert weights.dtype == torch.float32
    assert ((weights >= 0) & (weights <= 1)).all()
    assert weights.max() == 1
    doubled = part(x, torch.cat([edges, edges], dim=1), **inputs)
    torch.testing.assert_close(doubled, weights, atol=1e-6, rtol=0)
    back = permutation.argsort()
    moved = part(x[back], permutation[edges], **given_inputs(part, logits, back))
    if name in ("random_uniform", "shuffled"):  # the numbers are what stays: they are dealt out by place
        moved, weights = moved.sort().values, weights.sort().values
    else:
        moved = moved[permutation]
    torch.testing.assert_close(moved, weights, atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", [name for name, part in INFLUENCES.items() if "seed" in parameters_of(part)])
def test_what_is_drawn_follows_the_seed_alone(name: str) -> None:
    torch.manual_seed(0)
    x, edges, logits = torch.rand(6, 3), torch.randint(6, (2, 12)), torch.rand(6, 4)
    part = INFLUENCES[name]
    inputs = given_inputs(part, logits, torch.arange(6))
    state = torch.get_rng_state()
    first = part(x, edges, seed=5, **inputs)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(1)
    assert torch.equal(part(x, edges, seed=5, **inputs), first)


@pytest.mark.parametrize("name", INFLUENCES)
def test_sparse_features_and_an_adjacency_do_as_well(name: str) -> None:
    torch.manual_seed(0)
    x, edges, logits = torch.rand(6, 3) * (torch.rand(6, 3) < 0.7), torch.randint(6, (2, 12)), torch.rand(6, 4)
    part = INFLUENCES[name]
    inputs = given_inputs(part, logits, torch.arange(6))
    rows = SparseMatrix.from_torch(x.to_sparse_csr())
    torch.testing.assert_close(part(rows, Adjacency(edges, 6), **inputs), part(x, edges, **inputs))
