"""What every exported strategy promises; a new one is covered by being exported."""

import pytest
import torch

from graphkd import matching, students, teachers
from graphkd.matching import Matching, MatchingTerm
from graphkd.matching.distances import DISTANCES
from graphkd.names import catalogue
from graphkd.sparse import Adjacency
from tests.conftest import make_data

STRATEGIES = catalogue(matching)


@pytest.mark.parametrize("strategy", STRATEGIES.values())
@pytest.mark.parametrize("num_student", range(1, 5))
@pytest.mark.parametrize("num_teacher", range(1, 7))
def test_pairs_are_layers_that_exist_and_the_same_for_the_same_seed(
    strategy: type[Matching], num_student: int, num_teacher: int
) -> None:
    pairs = strategy(seed=1).pairs(num_student, num_teacher)
    assert pairs == strategy(seed=1).pairs(num_student, num_teacher)
    assert all(0 <= i < num_student and 0 <= j < num_teacher for i, j in pairs)
    if strategy.name != "none":
        assert {i for i, _ in pairs} == set(range(num_student))


@pytest.mark.parametrize("strategy", [each for each in STRATEGIES.values() if each.name != "none"])
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("teacher", catalogue(teachers).values())
def test_gradients_reach_student_and_projections_only(
    strategy: type[Matching], distance: str, teacher: type
) -> None:
    torch.manual_seed(0)
    data = make_data()
    network = teacher(8, 12, 3, num_layers=4)
    hops = network(data.x, Adjacency(data.edge_index, 60)).detach().hops[:-1]
    student = students.MLP(8, 6, 3, num_layers=3, dropout=0.0)
    term = MatchingTerm(strategy(distance=distance), [6, 6], [12, 12, 12])
    loss = term(student(data.x).hidden, hops)
    loss.backward()
    assert loss.isfinite()
    used = {f"{i}_{j}" for i, j in term.matching.pairs(2, 3)}
    for name, projection in term.projections.maps.items():
        assert all((parameter.grad is not None) == (name in used) for parameter in projection.parameters())
    assert student.layers[0].weight.grad.abs().sum() > 0
    assert student.layers[-1].weight.grad is None
    assert all(parameter.grad is None for parameter in network.parameters())
