"""The search itself, on candidates that a formula scores."""

import math
from pathlib import Path

import pytest

from graphkd import GraphKDError
from graphkd.tuning.budget import Budget
from graphkd.tuning.candidate import Candidate, Scores
from graphkd.tuning.records import Records
from graphkd.tuning.search import CONFIRM, RUNGS, Search
from graphkd.tuning.space import Space
from tests.tiers import some_of
from tests.tuning.fakes import FakeWorkers, settings_of

pytest.importorskip("optuna")

SPACE = Space(methods=("glnn", "krd"), shapes=((2, 64), (2, 128)))
EASE = {seed: 0.05 * math.sin(7 * seed) for seed in range(20)}
"""Splits differ in how easy they are, by more than candidates do."""


def score(candidate: Candidate, seed: int) -> float:
    """Teachers are better with little dropout, students with krd, τ near 2 and a good teacher."""
    settings = settings_of(candidate)
    value = (
        0.5 + EASE[seed] + 1e-4 * math.sin(candidate.number) - 0.1 * float(settings.get("teacher.dropout", 0.7))
    )
    if settings.get("method") == "krd":
        value += 0.1 - 0.02 * abs(math.log(float(settings["method.tau"]) / 2))
    return value


def search(folder: Path, workers: FakeWorkers, trials: int = 60, space: Space = SPACE, seed: int = 0) -> Search:
    records = Records(folder, {"seed": seed})
    return Search(space, workers, records, Budget(60, trials, records.elapsed), 500, seed=seed)


def test_the_best_method_with_the_best_teacher_is_found(tmp_path: Path) -> None:
    found = search(tmp_path, FakeWorkers(score))
    settings = settings_of(found.run())
    assert (settings["method"], settings["teacher.dropout"]) == ("krd", "0.2")
    assert 1 < float(settings["method.tau"]) < 4
    assert settings_of(found.candidates[found.records.facts["plain"]])["method"] == "mlp"


def test_fewer_candidates_on_every_rung(tmp_path: Path) -> None:
    workers = FakeWorkers(score)
    found = search(tmp_path, workers)
    found.run()
    students = {each.number for each in found.students} - set(found.records.facts["finalists"])
    on = [sum(number in students for number, seed in workers.scored if seed == seeds[0]) for seeds in RUNGS]
    assert on[0] == len(students)
    assert 2 * on[0] > 3 * on[1] > 0
    assert on[1] > on[2]
    assert {number for number, seed in workers.scored if seed in CONFIRM} == set(found.records.facts["finalists"])
    assert len(workers.scored) == len(set(workers.scored))  # nothing is trained twice


def test_teachers_are_chosen_by_their_own_scores(tmp_path: Path) -> None:
    found = search(tmp_path, FakeWorkers(score))
    found.run()
    assert "teacher.dropout=0.2" in found.records.facts["teachers"][0]
    assert len(found.records.facts["teachers"]) == 3


def test_a_plain_mlp_is_chosen_unless_another_is_better_by_more_than_chance(tmp_path: Path) -> None:
    """Students are better on one half of the seeds, and worse on the other."""

    def noisy(candidate: Candidate, seed: int) -> float:
        plain = settings_of(candidate).get("method") == "mlp"
        return 0.7 if plain else 0.7 + (0.1 if seed % 2 == 0 else -0.0999)

    assert search(tmp_path, FakeWorkers(noisy)).run().is_plain


def test_plain_mlps_are_searched_in_every_round(tmp_path: Path) -> None:
    found = search(tmp_path, FakeWorkers(score), space=Space(encoders=("raw", "propagated"), methods=("glnn",)))
    found.run()
    for (stage, number), candidates in found.records.rounds.items():
        plain = [each for each in candidates if each.is_plain]
        assert stage == "teacher" or len(plain) >= (2 if number == 0 else 1)


def test_failed_candidates_are_left_behind(tmp_path: Path) -> None:
    def failing(candidate: Candidate, seed: int) -> float | None:
        settings = settings_of(candidate)
        return (
            None if settings.get("method") == "krd" or settings.get("teacher") == "gat" else score(candidate, seed)
        )

    found = search(tmp_path, FakeWorkers(failing))
    assert settings_of(found.run())["method"] in ("glnn", "mlp")
    assert not any("teacher=gat" in teacher for teacher in found.records.facts["teachers"])


def test_if_not_even_the_plain_mlp_can_be_trained_its_error_is_the_search_s(tmp_path: Path) -> None:
    def failing(candidate: Candidate, seed: int) -> float | None:
        return None if candidate.is_plain else score(candidate, seed)

    with pytest.raises(GraphKDError, match="not even what all is compared with can be trained: it failed"):
        search(tmp_path, FakeWorkers(failing)).run()
    assert search(tmp_path, FakeWorkers(score)).run()  # the same search goes on once it is mended


@pytest.mark.slow
@pytest.mark.parametrize("most", some_of([7, 0, 3, 14, 30, 110, 60, 90, 140, 130, 150], 5))
def test_killed_and_resumed_the_winner_and_all_candidates_are_the_same(tmp_path: Path, most: int) -> None:
    whole = search(tmp_path / "whole", FakeWorkers(score))
    winner = whole.run()
    workers = FakeWorkers(score, most)
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path / "killed", workers).run()
    rest = FakeWorkers(score)
    resumed = search(tmp_path / "killed", rest)
    assert resumed.run() == winner
    assert resumed.records.rounds == whole.records.rounds
    assert resumed.records.facts == whole.records.facts
    assert not set(workers.scored[:most]) & set(rest.scored)  # what was finished is not trained again


@pytest.mark.parametrize("left", [1, 5, 9, 13, 17, 21, 25])
def test_killed_while_finalists_are_compared_the_same_ones_are_compared_again(tmp_path: Path, left: int) -> None:
    """Their scores on further rungs would rank them otherwise."""

    def noisy(candidate: Candidate, seed: int) -> float:
        return score(candidate, seed) + 0.3 * math.sin(11 * candidate.number * (seed + 1))

    workers = FakeWorkers(noisy)
    whole = search(tmp_path / "whole", workers, trials=8)
    winner = whole.run()
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path / "killed", FakeWorkers(noisy, len(workers.scored) - left), trials=8).run()
    resumed = search(tmp_path / "killed", FakeWorkers(noisy), trials=8)
    assert resumed.run() == winner
    assert resumed.records.facts == whole.records.facts


def test_without_time_the_plain_mlp_is_chosen(tmp_path: Path) -> None:
    records = Records(tmp_path, {})
    found = Search(SPACE, FakeWorkers(score), records, Budget(1e-9), 500)
    assert found.run().is_plain
    assert {result.number for result in records.results} == {found.reference}
    assert {stage for stage, _ in records.rounds} == {"teacher", "student"}


@pytest.mark.parametrize(("gain", "is_plain"), [(0.03, True), (0.04, False)])
def test_on_one_seed_a_gain_must_be_above_the_error_of_the_validation_nodes(
    tmp_path: Path, gain: float, is_plain: bool
) -> None:
    """Of 500 nodes: √(0.5 / 500) = 0.032."""

    workers = FakeWorkers(lambda candidate, seed: 0.7 + (0 if candidate.is_plain else gain))
    on_first = FakeWorkers.results
    workers.results = lambda tasks, end: on_first(workers, [task for task in tasks if task[1] == 0], end)
    found = search(tmp_path, workers, trials=3)
    assert found.run().is_plain == is_plain
    assert {result.seed for result in found.records.results} == {0}


def test_finalists_on_fewer_seeds_than_others_are_not_the_best(tmp_path: Path) -> None:
    """KRD is far better, but stops after its first seed."""

    def stops(candidate: Candidate, seed: int) -> float:
        krd = settings_of(candidate).get("method") == "krd"
        return 0.7 + (0.2 if krd else 0.0 if candidate.is_plain else 0.05)

    workers = FakeWorkers(stops)

    def results(tasks, end):
        kept = [task for task in tasks if not task[1] or settings_of(task[0][0]).get("method") != "krd"]
        return FakeWorkers.results(workers, kept, end)

    workers.results = results
    assert settings_of(search(tmp_path, workers).run())["method"] == "glnn"


def test_without_methods_no_teacher_is_searched(tmp_path: Path) -> None:
    found = search(tmp_path, FakeWorkers(score), space=Space(methods=()))
    assert found.run().is_plain
    assert {stage for stage, _ in found.records.rounds} == {"student"}


def test_gains_are_mean_differences_over_the_seeds_that_both_have() -> None:
    scores = Scores()
    from graphkd.tuning.candidate import Result

    for seed, value in ((0, 0.5), (1, 0.9)):
        scores.add(Result(0, seed, value, 1.0))
    scores.add(Result(1, 1, 0.95, 1.0))
    assert scores.gain(1, 0, range(4)) == pytest.approx(0.05)
    assert scores.gain(2, 0, range(4)) == -math.inf
    scores.add(Result(1, 0, None, 1.0, "failed"))
    assert scores.gain(1, 0, range(4)) == -math.inf
