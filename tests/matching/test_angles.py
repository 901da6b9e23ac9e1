import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from graphkd import GraphKDError
from graphkd.matching import Forward, InOrderRandom, LayerAngles, Matching, MatchingTerm, angles
from tests.strategies import tables


def literal(hidden: list[Tensor], hops: list[Tensor], maps: dict[tuple[int, int], Tensor]) -> list[float]:
    """<u, w> / (|u| |w| + 1e-6), u = t_j - P_ij s_i and w = t_k - P_ik s_i, for every i, j < k and node."""
    found = []
    for i, layer in enumerate(hidden):
        for j in range(len(hops)):
            for k in range(j + 1, len(hops)):
                for v in range(layer.shape[0]):
                    u = [float(t - maps[i, j][row] @ layer[v]) for row, t in enumerate(hops[j][v])]
                    w = [float(t - maps[i, k][row] @ layer[v]) for row, t in enumerate(hops[k][v])]
                    product = sum(a * b for a, b in zip(u, w, strict=True))
                    lengths = [math.sqrt(sum(a * a for a in side)) for side in (u, w)]
                    found.append(product / (lengths[0] * lengths[1] + 1e-6))
    return found


def seen(layers: LayerAngles) -> Tensor:
    return layers.cosines.reshape(-1)


def test_a_triangle_has_its_angles() -> None:
    near, far = torch.tensor([[5.0, 5.0]]), torch.zeros(1, 2)
    turns = torch.tensor([0.0, 60.0, 150.0, 240.0]).deg2rad()
    found = LayerAngles.of([near, far], [near + 2 * torch.stack([turn.cos(), turn.sin()]) for turn in turns])
    assert found.pairs == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    expected = torch.tensor([60.0, 150.0, 120.0, 90.0, 180.0, 90.0])
    torch.testing.assert_close(found.degrees[0], expected, atol=0.1, rtol=0)
    assert found.acute[0].tolist()[:3] == [1, 0, 0]
    assert bool((found.acute[1] == 1).all())  # seen from far away, all lie in one direction
    assert found.left_out == []


@given(st.data())
def test_cosines_equal_loops_over_layers_pairs_and_nodes(data: st.DataObject) -> None:
    depths = data.draw(st.integers(1, 3)), data.draw(st.integers(2, 4))
    hidden = [data.draw(tables(5, 3)) for _ in range(depths[0])]
    hops = [data.draw(tables(5, 3)) for _ in range(depths[1])]
    hops[0][0] = hidden[0][0]  # a node at which the student meets the teacher
    own = {(i, j): torch.eye(3, dtype=torch.float64) for i in range(depths[0]) for j in range(depths[1])}
    torch.testing.assert_close(
        seen(LayerAngles.of(hidden, hops)), torch.tensor(literal(hidden, hops, own)).double()
    )


@given(student=tables(5, 2), teacher=tables(5, 3), other=tables(5, 3))
def test_a_projected_layer_is_seen_through_its_projections(
    student: Tensor, teacher: Tensor, other: Tensor
) -> None:
    term = MatchingTerm.of(InOrderRandom(projection="linear"), [2], [3, 3]).double()
    maps = {(0, j): term.projections.maps[f"0_{j}"].weight.detach() for j in range(2)}
    found = LayerAngles.of([student], [teacher, other], term)
    assert not found.cosines.requires_grad
    expected = torch.tensor(literal([student], [teacher, other], maps), dtype=torch.float64)
    torch.testing.assert_close(seen(found), expected)


def test_blocks_of_nodes_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden, hops = [torch.randn(7, 4)], [torch.randn(7, 4) for _ in range(3)]
    whole = LayerAngles.of(hidden, hops).cosines
    monkeypatch.setattr(angles, "BLOCK", 3)
    torch.testing.assert_close(LayerAngles.of(hidden, hops).cosines, whole)


def image(term: MatchingTerm, name: str, layer: Tensor) -> Tensor:
    return term.projections.maps[name](layer)


def test_a_layer_without_a_projection_of_its_own_takes_that_of_the_nearest_layer_of_the_same_width() -> None:
    layer = torch.randn(3, 4)
    term = MatchingTerm.of(Forward(layers=[1, 4]), [4, 4], [6, 6, 6, 5, 6])
    for j in (0, 1, 2, 4):
        assert torch.equal(term.project_for(layer, 0, j), image(term, "0_1", layer))
        assert torch.equal(term.project_for(layer, 1, j), image(term, "1_4", layer))
    assert term.project_for(layer, 0, 3) is None


def test_of_two_that_are_equally_near_the_lower_one_counts() -> None:
    class Ends(Matching):
        name = "ends"

        def pairs(self, num_student: int, num_teacher: int) -> list[tuple[int, int]]:
            return [(0, 0), (0, 2)]

    layer, term = torch.randn(3, 4), MatchingTerm.of(Ends(projection="linear"), [4], [4, 4, 4])
    assert torch.equal(term.project_for(layer, 0, 1), image(term, "0_0", layer))
    assert not torch.equal(term.project_for(layer, 0, 1), image(term, "0_2", layer))


def test_a_shared_projection_serves_every_layer_and_equal_widths_need_none() -> None:
    layer = torch.randn(3, 4)
    shared = MatchingTerm.of(Forward(projection="shared"), [4, 4], [6, 6, 4])
    assert torch.equal(shared.project_for(layer, 1, 0), image(shared, "4_to_6", layer))
    plain = MatchingTerm.of(Forward(), [4, 4], [4, 4, 4])
    assert all(plain.project_for(layer, i, j) is layer for i in range(2) for j in range(3))
    linear = MatchingTerm.of(Forward(projection="linear"), [4], [6, 4, 6])
    assert linear.project_for(layer, 0, 1) is layer  # equal widths, and no projection leads there


def test_what_has_no_angle_is_left_out() -> None:
    hops = [torch.randn(3, 4), torch.randn(3, 5), torch.randn(3, 4), torch.randn(3, 5)]
    found = LayerAngles.of([torch.randn(3, 4), torch.randn(3, 5)], hops)
    known = {(i, found.pairs[p]) for i, p in (~found.degrees.isnan()).nonzero().tolist()}
    assert known == {(0, (0, 2)), (1, (1, 3))}
    assert len(found.left_out) == 12 - 2
    assert torch.equal(found.acute.isnan(), found.degrees.isnan())


@pytest.mark.parametrize(
    ("student", "teacher", "message"),
    [
        ([], [4, 4], "angles need a hidden layer of the student, but there is none: set student.num_layers"),
        ([4], [4], "angles need two hidden layers of the teacher, but there are 1: set teacher.num_layers"),
        ([4], [], "but there are 0"),
        ([4, 3], [6, 6], "the student's layers have width 3 and 4, the teacher's 6, and no projection joins"),
    ],
)
def test_layers_without_any_angle_are_refused(student: list[int], teacher: list[int], message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        LayerAngles.of([torch.zeros(2, width) for width in student], [torch.zeros(2, width) for width in teacher])
