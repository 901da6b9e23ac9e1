import pytest

from graphkd import GraphKDError
from graphkd.matching import (
    AllToOne,
    Forward,
    InOrderRandom,
    Last,
    Matching,
    MatchingTerm,
    NoMatching,
    Random,
    Reverse,
    Skip,
)


def targets(strategy: Matching, num_student: int, num_teacher: int) -> list[int]:
    """The teacher layer of every student layer."""
    students, teachers = zip(*strategy.pairs(num_student, num_teacher), strict=True)
    assert students == tuple(range(num_student))
    return list(teachers)


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


@pytest.mark.parametrize(("num_student", "num_teacher"), [(1, 1), (3, 12), (4, 5), (5, 2)])
def test_the_reverse_of_reverse_is_forward(num_student: int, num_teacher: int) -> None:
    turned = targets(Reverse(), num_student, num_teacher)
    assert turned[::-1] == targets(Forward(), num_student, num_teacher)


def test_forward_takes_a_map_that_is_given() -> None:
    assert Forward(layers=[4, 0, 4]).pairs(3, 6) == [(0, 4), (1, 0), (2, 4)]
    assert Forward(layers=(0,)).layers == [0]


def test_all_to_one_takes_the_layer_that_is_asked_for() -> None:
    assert targets(AllToOne(layer="last"), 3, 5) == [4, 4, 4]
    assert targets(AllToOne(layer=1), 2, 5) == [1, 1]


@pytest.mark.parametrize(
    ("strategy", "num_student", "message"),
    [
        (Forward(layers=[0, 1]), 3, "matching.layers names 2 teacher layers, but the student has 3 hidden ones"),
        (
            Forward(layers=[0, 5]),
            2,
            "matching.layers is 5, but the teacher has 5 hidden layers: choose a whole number from 0 to 4",
        ),
        (Forward(layers=[0, -1]), 2, "matching.layers is -1, but the teacher has 5"),
        (Forward(layers=["a"]), 1, "matching.layers is 'a', but the teacher has 5"),
        (AllToOne(layer=5), 2, "matching.layer is 5, but the teacher has 5 hidden layers: choose a whole"),
        (AllToOne(layer=-1), 2, "matching.layer is -1, but"),
    ],
)
def test_layers_that_are_not_there(strategy: Matching, num_student: int, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        MatchingTerm.of(strategy, [4] * num_student, [4] * 5)


def test_skip_and_last_give_the_published_maps() -> None:
    """12 layers to 6, the last one of both not matched: 11 hidden layers to 5."""
    assert targets(Skip(), 5, 11) == [1, 3, 5, 7, 9]
    assert targets(Last(), 5, 11) == [6, 7, 8, 9, 10]


@pytest.mark.parametrize(
    ("num_student", "num_teacher", "expected"),
    [
        (1, 3, [1]),  # every second of 4 layers
        (1, 2, [0]),
        (1, 5, [2]),
        (1, 7, [3]),
        (2, 4, [0, 1]),
        (2, 5, [1, 3]),
        (2, 6, [1, 3]),
        (2, 8, [2, 5]),
        (3, 5, [0, 1, 2]),
        (3, 6, [0, 1, 2]),
        (3, 7, [1, 3, 5]),
        (3, 9, [1, 3, 5]),
    ],
)
def test_skip_counts_the_logits_among_the_layers(num_student: int, num_teacher: int, expected: list[int]) -> None:
    assert targets(Skip(), num_student, num_teacher) == expected


def test_skip_and_last_where_the_student_is_deeper() -> None:
    assert targets(Skip(), 4, 2) == [0, 1, 1, 1]
    assert targets(Last(), 4, 2) == [0, 0, 0, 1]
    assert targets(Skip(), 3, 3) == targets(Last(), 3, 3) == [0, 1, 2]


@pytest.mark.parametrize(("num_student", "num_teacher"), [(1, 4), (3, 6), (4, 4), (5, 2), (4, 3)])
def test_in_order_draws_sorted_layers_in_every_epoch(num_student: int, num_teacher: int) -> None:
    strategy, drawn = InOrderRandom(seed=3), []
    for epoch in range(20):
        strategy.on_epoch_start(epoch)
        drawn.append(targets(strategy, num_student, num_teacher))
        rounds = num_student // num_teacher
        assert drawn[-1] == sorted(drawn[-1])
        assert all(rounds <= drawn[-1].count(layer) <= rounds + 1 for layer in range(num_teacher))
    choices = {tuple(each) for each in drawn}
    assert len(choices) > 1 or num_student % num_teacher == 0
    assert {layer for each in drawn for layer in each} == set(range(num_teacher))
    again = InOrderRandom(seed=3)
    again.on_epoch_start(7)
    assert targets(again, num_student, num_teacher) == drawn[7]


def test_random_draws_again_where_asked_for() -> None:
    once, again = Random(seed=1), Random(seed=1, redraw=True)
    fixed, drawn = set(), set()
    for epoch in range(20):
        for strategy, found in ((once, fixed), (again, drawn)):
            strategy.on_epoch_start(epoch)
            found.add(tuple(targets(strategy, 3, 6)))
    assert len(fixed) == 1
    assert drawn == {(a, b, c) for a in (1, 3, 5) for b in (1, 3, 5) for c in (1, 3, 5) if len({a, b, c}) == 3}
    assert set(again.pairs(3, 6)) <= set(again.projected(3, 6))


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
    ("make", "message"),
    [
        (lambda: Forward(layers=3), r"matching.layers is 3: give a list such as \[0,2,4\]"),
        (lambda: AllToOne(layer="first"), "matching.layer is 'first': choose middle, last or a number from 0"),
        (lambda: Random(redraw="yes"), "matching.redraw is 'yes': choose true or false"),
    ],
)
def test_bad_settings_of_one_strategy_are_refused(make, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        make()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"weight": -1.0}, "matching.weight is -1.0"),
        ({"weight": float("nan")}, "matching.weight is nan"),
        ({"seed": -5}, "matching.seed is -5"),
        ({"lr": 0.0}, "matching.lr is 0.0: it must lie between 0 and 1e30, or be left out"),
        ({"distance": "l2"}, "matching.distance is 'l2': choose one of mse, normalized_mse, cosine"),
        ({"projection": "pca"}, "matching.projection is 'pca'"),
    ],
)
def test_bad_settings_are_refused(keys: dict, message: str) -> None:
    with pytest.raises(GraphKDError, match=message):
        Forward(**keys)
