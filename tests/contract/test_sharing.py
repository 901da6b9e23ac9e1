"""Several processes share the rows of a step: losses and gradients add up to one process's, for every part."""

import pytest
import torch

from graphkd import matching, methods, teachers, terms
from graphkd.matching.distances import DISTANCES
from graphkd.matching.projections import PROJECTIONS
from graphkd.registry import catalogue
from tests.distributed.gradients import Case, student_steps, teacher_step
from tests.distributed.pair import Pair
from tests.tiers import some_of

STRATEGIES = catalogue(matching)
TERMS = [name for name in catalogue(terms) if name != "none"]
PLAIN = ("glnn", "none", "normalized_mse", "auto", "none")


def assert_same(one: list[torch.Tensor], several: list[list[torch.Tensor]]) -> None:
    assert sum(float(part.norm()) for part in one) > 0.01
    for parts in several:
        for mine, theirs in zip(parts, one, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-11)


def assert_all_same(cases: list[Case], pair: Pair, rows: int = 21) -> None:
    first, second = pair(student_steps, cases, rows)
    for whole, *parts in zip(student_steps(cases, rows), first, second, strict=True):
        assert_same(whole, parts)


@pytest.mark.parametrize("method", [name for name, method in catalogue(methods).items() if method().is_row_sum])
def test_the_loss_of_a_method_is_a_sum_over_rows_or_says_that_it_is_not(method: str, pair: Pair) -> None:
    assert_all_same([(method, *PLAIN[1:])], pair)


@pytest.mark.parametrize("distance", some_of(DISTANCES, 2))
def test_whatever_is_matched_by_whichever_distance(distance: str, pair: Pair) -> None:
    strategies = [name for name, each in STRATEGIES.items() if DISTANCES[distance].by_node or not each.by_node]
    assert_all_same([("glnn", strategy, distance, "auto", "none") for strategy in strategies], pair)


def test_whatever_it_is_projected_by(pair: Pair) -> None:
    cases = [("glnn", "forward", "mse", projection, "none") for projection in PROJECTIONS if projection != "none"]
    assert_all_same(cases, pair)


@pytest.mark.parametrize("term", TERMS)
def test_a_term_alone_and_beside_what_is_matched(term: str, pair: Pair) -> None:
    assert_all_same([(*PLAIN[:4], term), ("glnn", "forward", "mse", "auto", term)], pair)


def test_a_process_without_any_row(pair: Pair) -> None:
    plain = [name for name, method in catalogue(methods).items() if method().is_row_sum]
    cases = [(method, "none", "mse", "auto", "none") for method in plain]
    cases += [("glnn", "forward", "mse", "auto", "none"), ("glnn", "emd", "gram", "auto", "none")]
    assert_all_same([*cases, *(("glnn", "none", "mse", "auto", term) for term in TERMS)], pair, rows=1)


@pytest.mark.parametrize("seeds", [1, 9])
@pytest.mark.parametrize(
    "teacher", [name for name, each in catalogue(teachers).items() if not each.full_batch_only]
)
def test_blocks_of_a_share_of_the_seeds(teacher: str, seeds: int, pair: Pair) -> None:
    """With residuals, dropout and, for GAT, dropout on its attention."""
    assert_same(teacher_step(teacher, seeds), pair(teacher_step, teacher, seeds))


@pytest.mark.parametrize("jump", ["cat", "max"])
@pytest.mark.parametrize("teacher", ["gcn", "gcnii"])
def test_blocks_of_a_share_with_jumping_knowledge(teacher: str, jump: str, pair: Pair) -> None:
    assert_same(teacher_step(teacher, 9, jump), pair(teacher_step, teacher, 9, jump))
