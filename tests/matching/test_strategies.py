import pytest

from graphkd import GraphKDError
from graphkd.matching import AllToOne, Forward, NoMatching, Random, Reverse


@pytest.mark.parametrize(
    ("num_student", "teachers"),
    [
        (1, [11]),
        (2, [5, 11]),
        (3, [3, 7, 11]),
        (4, [2, 5, 8, 11]),
        (6, [1, 3, 5, 7, 9, 11]),
        (12, list(range(12))),
    ],
)
def test_forward_gives_the_maps_of_the_paper(num_student: int, teachers: list[int]) -> None:
    assert Forward(seed=0).pairs(num_student, 12) == list(enumerate(teachers))


def test_forward_gives_the_paper_s_uneven_map() -> None:
    assert [teacher for _, teacher in Forward().pairs(9, 12)] == [1, 2, 3, 5, 6, 7, 9, 10, 11]


def test_forward_works_for_a_student_deeper_than_its_teacher() -> None:
    assert Forward().pairs(4, 2) == [(0, 0), (1, 0), (2, 1), (3, 1)]


def test_reverse_turns_forward_s_targets_around() -> None:
    assert Reverse().pairs(3, 12) == [(0, 11), (1, 7), (2, 3)]
    assert Reverse().pairs(2, 2) == [(0, 1), (1, 0)]


@pytest.mark.parametrize(("num_teacher", "middle"), [(1, 0), (2, 0), (3, 1), (12, 5)])
def test_all_to_one_takes_the_middle(num_teacher: int, middle: int) -> None:
    assert AllToOne().pairs(2, num_teacher) == [(0, middle), (1, middle)]


def test_random_is_a_permutation_of_forward_s_targets_that_depends_on_the_seed_only() -> None:
    forward = sorted(teacher for _, teacher in Forward().pairs(6, 12))
    drawn = [tuple(Random(seed=seed).pairs(6, 12)) for seed in range(5)]
    assert all(sorted(teacher for _, teacher in pairs) == forward for pairs in drawn)
    assert len(set(drawn)) > 1
    assert Random(seed=3).pairs(6, 12) == Random(seed=3).pairs(6, 12)
    assert Random(seed=0).with_seed(3).pairs(6, 12) == Random(seed=3).pairs(6, 12)


def test_none_matches_nothing() -> None:
    assert NoMatching().pairs(3, 3) == []


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"weight": -1.0}, "matching.weight is -1.0"),
        ({"weight": float("nan")}, "matching.weight is nan"),
        ({"seed": -5}, "matching.seed is -5"),
        ({"distance": "l2"}, "matching.distance is 'l2': choose one of mse, normalized_mse, cosine"),
        ({"projection": "pca"}, "matching.projection is 'pca'"),
    ],
)
def test_bad_settings_are_refused(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        Forward(**keys)
