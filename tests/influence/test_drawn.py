"""Random and shuffled weights, and what an influence asks for."""

from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.influence import confidence, infgrand, pagerank, random_uniform, reliability, shuffled
from graphkd.influence.inputs import inputs_of, reads_teacher
from tests.strategies import edge_lists, tables

NONE = torch.zeros(2, 0, dtype=torch.long)


@pytest.mark.slow
@given(edges=edge_lists(6), x=tables(6, 3), seed=st.integers(0, 2**32 - 1))
def test_shuffled_weights_are_the_base_s_in_another_order(edges: torch.Tensor, x: torch.Tensor, seed: int) -> None:
    for base, part in (("infgrand", infgrand), ("pagerank", pagerank)):
        mixed = shuffled(x, edges, base=base, seed=seed)
        order = torch.randperm(6, generator=torch.Generator().manual_seed(seed)).tolist()
        assert mixed.tolist() == [part(x, edges).tolist()[node] for node in order]


def test_a_base_gets_variant_seed_and_inputs() -> None:
    x, edges, logits = torch.rand(6, 3), torch.tensor([[0, 1, 2], [1, 2, 0]]), torch.rand(6, 2)
    reference = shuffled(x, edges, variant="reference")
    assert torch.equal(reference.sort().values, infgrand(x, edges, variant="reference").sort().values)
    drawn = shuffled(x, edges, base="random_uniform", seed=3)
    assert torch.equal(drawn.sort().values, random_uniform(x, edges, seed=3).sort().values)
    sure = shuffled(x, edges, base="confidence", logits=logits)
    assert torch.equal(sure.sort().values, confidence(x, edges, logits=logits).sort().values)


def test_uniform_weights_lie_evenly_and_follow_the_seed() -> None:
    weights = random_uniform(torch.ones(4000, 1), NONE)
    assert torch.equal(weights, random_uniform(torch.rand(4000, 3), NONE))
    assert not torch.equal(weights, random_uniform(torch.ones(4000, 1), NONE, seed=1))
    steps = torch.linspace(0, 1, 4000)
    assert (weights.sort().values - steps).abs().max() < 0.03  # Kolmogorov and Smirnov: 0.03 has a chance of 0.001


@pytest.mark.parametrize("part", [random_uniform, shuffled])
@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, True, None])
def test_no_seeds(part, seed: object) -> None:
    with pytest.raises(GraphKDError, match="influence.seed is"):
        part(torch.ones(2, 1), NONE, seed=seed)


def test_what_is_asked_for() -> None:
    assert inputs_of(None) == inputs_of(infgrand) == inputs_of(shuffled) == inputs_of(dict.fromkeys) == []
    assert inputs_of(partial(reliability, seed=1)) == ["logits", "perturbed"]
    assert inputs_of(partial(confidence, logits=torch.ones(1, 1))) == []
    assert inputs_of(partial(shuffled, base="infgrand_per_class")) == ["labels"]
    assert inputs_of(lambda x, adj, labels, logits=None: x) == ["labels"]
    assert reads_teacher(partial(shuffled, base="confidence"))
    assert not reads_teacher(partial(shuffled, base="infgrand_per_class"))
    with pytest.raises(GraphKDError, match="unknown influence 'rank'"):
        inputs_of(partial(shuffled, base="rank"))
