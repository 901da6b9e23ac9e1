import copy

import pytest
import torch
from torch import Tensor

from graphkd import GraphKDError
from graphkd.matching.projections import PROJECTIONS, Projections

WIDTHS = [(6, 6), (9, 4), (4, 9)]
LEARNED = ["linear", "shared", "orthogonal"]


def one(kind: str, student: int, teacher: int, seed: int = 0) -> Projections:
    torch.manual_seed(seed)
    return Projections(kind, [(0, 0)], [student], [teacher])


def trained(projections: Projections, steps: int = 3) -> Projections:
    student, teacher = projections.widths[0][0], projections.widths[1][0]
    x, y = torch.randn(20, student), torch.randn(20, teacher)
    optimizer = torch.optim.Adam(projections.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        (projections(x, 0, 0) - y).square().mean().backward()
        optimizer.step()
    return projections


def matrix(projections: Projections, i: int = 0, j: int = 0) -> Tensor:
    """What the identity becomes, ``[d_S, d_T]``."""
    return projections(torch.eye(projections.widths[0][i]), i, j).detach()


def distance_to_orthonormal(weight: Tensor) -> float:
    """Of rows or columns, whichever are fewer."""
    tall = weight if weight.shape[0] >= weight.shape[1] else weight.t()
    return float((tall.t() @ tall - torch.eye(tall.shape[1])).abs().max())


@pytest.mark.parametrize("kind", ["linear", "shared", "random", "orthogonal"])
@pytest.mark.parametrize(("student", "teacher"), WIDTHS)
def test_maps_are_linear_bias_free_and_the_same_for_the_same_seed(kind: str, student: int, teacher: int) -> None:
    projections = one(kind, student, teacher)
    x = torch.randn(7, student)
    assert projections(x, 0, 0).shape == (7, teacher)
    torch.testing.assert_close(projections(x, 0, 0), x @ matrix(projections))
    assert (projections(torch.zeros(2, student), 0, 0) == 0).all()
    assert torch.equal(matrix(projections), matrix(one(kind, student, teacher)))
    assert not torch.equal(matrix(projections), matrix(one(kind, student, teacher, seed=1)))


@pytest.mark.parametrize("kind", LEARNED)
@pytest.mark.parametrize(("student", "teacher"), WIDTHS)
def test_learned_maps_learn_and_pass_gradients_on(kind: str, student: int, teacher: int) -> None:
    projections = one(kind, student, teacher)
    before, x = matrix(projections), torch.randn(5, student, requires_grad=True)
    projections(x, 0, 0).square().sum().backward()
    assert x.grad is not None
    assert x.grad.abs().sum() > 0
    assert not torch.allclose(matrix(trained(projections)), before, atol=1e-3)


@pytest.mark.parametrize("kind", PROJECTIONS)
@pytest.mark.parametrize(("student", "teacher"), WIDTHS)
def test_maps_survive_a_state_dict_and_a_copy(kind: str, student: int, teacher: int) -> None:
    if kind == "none":
        teacher = student
    projections = one(kind, student, teacher)
    if any(parameter.requires_grad for parameter in projections.parameters()):
        trained(projections)
    other = one(kind, student, teacher, seed=1)
    other.load_state_dict({name: tensor.clone() for name, tensor in projections.state_dict().items()})
    assert torch.equal(matrix(other), matrix(projections))
    twin, before = copy.deepcopy(projections), matrix(projections)
    assert torch.equal(matrix(twin), before)
    for parameter in twin.parameters():
        parameter.data.normal_()
    assert torch.equal(matrix(projections), before)


@pytest.mark.parametrize(("student", "teacher"), WIDTHS)
def test_orthogonal_maps_stay_so(student: int, teacher: int) -> None:
    projections = one("orthogonal", student, teacher)
    assert distance_to_orthonormal(matrix(projections)) < 1e-5
    assert distance_to_orthonormal(matrix(trained(projections, steps=20))) < 1e-5
    assert distance_to_orthonormal(matrix(trained(copy.deepcopy(projections)))) < 1e-5


def test_random_maps_are_frozen_kept_and_of_the_right_size() -> None:
    projections = one("random", 64, 256)
    assert [parameter.requires_grad for parameter in projections.parameters()] == [False]
    assert [tuple(tensor.shape) for tensor in projections.state_dict().values()] == [(256, 64)]
    x = torch.randn(200, 64, requires_grad=True)
    seen = projections(x, 0, 0)
    assert float(seen.detach().square().sum() / x.detach().square().sum()) == pytest.approx(1, abs=0.05)
    seen.sum().backward()
    assert x.grad is not None


def test_every_pair_has_a_map_of_its_own_unless_shared() -> None:
    pairs = [(0, 0), (1, 1), (1, 2), (2, 2)]
    widths = [4, 4, 6], [6, 6, 4]
    assert set(Projections("linear", pairs, *widths).maps) == {"0_0", "1_1", "1_2", "2_2"}
    shared = Projections("shared", pairs, *widths)
    assert set(shared.maps) == {"4_to_6", "4_to_4", "6_to_4"}
    assert torch.equal(matrix(shared, 0, 0), matrix(shared, 1, 1))
    assert matrix(shared, 1, 2).shape == (4, 4)


def test_pairs_that_come_twice_have_one_map() -> None:
    assert len(Projections("linear", [(0, 0), (0, 0)], [4], [4]).maps) == 1


def test_auto_projects_only_where_it_must() -> None:
    pairs = [(0, 0), (1, 0)]
    assert set(Projections("auto", pairs, [4, 6], [6]).maps) == {"0_0"}
    assert not Projections("auto", pairs, [4, 6], [6], any_width=True).maps


def test_none_leaves_layers_alone_and_wants_equal_widths_unless_the_distance_does_not_mind() -> None:
    x = torch.randn(3, 4)
    assert Projections("none", [(0, 0)], [4], [4])(x, 0, 0) is x
    assert Projections("none", [(0, 0)], [4], [6], any_width=True)(x, 0, 0) is x
    with pytest.raises(GraphKDError, match=r"^a student layer has width 4, the teacher's 6: set [^\n]*$"):
        Projections("none", [(0, 0)], [4], [6])
