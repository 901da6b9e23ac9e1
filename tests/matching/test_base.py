import pytest

from graphkd.matching import Forward, Matching
from graphkd.matching.base import uniform_map


@pytest.mark.parametrize("num_student", range(1, 6))
@pytest.mark.parametrize("num_teacher", range(1, 8))
def test_the_map_is_monotone_and_ends_at_the_last_layer(num_student: int, num_teacher: int) -> None:
    chosen = uniform_map(num_student, num_teacher)
    assert chosen == sorted(chosen)
    assert chosen[-1] == num_teacher - 1
    assert all(0 <= layer < num_teacher for layer in chosen)


def test_a_strategy_without_pairs_says_so() -> None:
    with pytest.raises(NotImplementedError):
        Matching().pairs(1, 1)


def test_repr_says_the_settings() -> None:
    assert "weight=3.0" in repr(Forward(weight=3.0, layers=[0, 1]))
    assert "layers=[0, 1]" in repr(Forward(weight=3.0, layers=[0, 1]))
