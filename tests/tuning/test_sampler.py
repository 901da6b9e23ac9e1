import sys

import pytest

from graphkd import GraphKDError
from graphkd.tuning.sampler import Sampler, check_optuna

pytest.importorskip("optuna")


def suggest(trial) -> tuple[str, ...]:
    kind = trial.suggest_categorical("kind", ["a", "b"])
    return (f"kind={kind}", f"x={trial.suggest_float(f'x_{kind}', 0, 1):.3f}")


def value(overrides: tuple[str, ...]) -> float:
    return float(overrides[1][2:]) * (overrides[0] == "kind=a")


def rounds(seed: int, count: int = 6) -> list[tuple[str, ...]]:
    sampler, found = Sampler(suggest, seed), []
    for number in range(count):
        asked = [overrides for overrides, _ in sampler.ask(number, [{}] * 8)]
        sampler.tell([value(overrides) for overrides in asked])
        found += asked
    return found


def test_proposals_depend_on_seed_and_results_alone() -> None:
    assert rounds(0) == rounds(0)
    assert rounds(0) != rounds(1)


def test_later_rounds_are_better_than_random_ones() -> None:
    found = [value(overrides) for overrides in rounds(0, 12)]
    assert sum(found[-24:]) / 24 > sum(found[:16]) / 16 + 0.2


def test_a_replayed_round_is_the_same_history() -> None:
    """A search that goes on hands the recorded draws back, and is proposed what it would have been."""
    first = Sampler(suggest, 0)
    asked = first.ask(0, [{}] * 8)
    first.tell([value(overrides) for overrides, _ in asked])
    second = Sampler(suggest, 0)
    again = second.ask(0, [params for _, params in asked])
    assert again == asked
    second.tell([value(overrides) for overrides, _ in again])
    assert second.ask(1, [{}] * 4) == first.ask(1, [{}] * 4)


def test_failed_candidates_are_told_too_and_importances_name_what_matters() -> None:
    sampler = Sampler(suggest, 0)
    for number in range(5):
        asked = [overrides for overrides, _ in sampler.ask(number, [{}] * 8)]
        sampler.tell([None, *(value(overrides) for overrides in asked[1:])])
    found = sampler.importances()
    assert sum(found.values()) == pytest.approx(1)
    assert found["kind"] > found.get("x_b", 0.0)  # which changes no value
    assert Sampler(suggest, 0).importances() == {}


def test_without_optuna_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(GraphKDError, match=r"pip install 'graphkd\[tune\]'"):
        check_optuna()
