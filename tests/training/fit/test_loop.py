from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn

from graphkd import GraphKDError, Training
from graphkd.training.fit.loop import Fit, fit
from graphkd.training.fit.train_spec import TrainSpec
from graphkd.training.fit.train_state import Log


class Script(nn.Module):
    """A model whose losses and scores are written down beforehand; its weight counts the steps."""

    def __init__(self, scores: list[float], losses: list[float] | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.register_buffer("steps", torch.tensor(0))
        self.scores, self.losses = scores, losses or [1.0] + [0.1] * len(scores)

    def loss(self, epoch: int = 0) -> dict[str, torch.Tensor]:
        assert self.training
        value = self.losses[int(self.steps)]
        self.steps += 1
        return {"loss": self.weight * 0 + value, "term": torch.tensor(value)}

    def score(self) -> float:
        assert not self.training
        assert not torch.is_grad_enabled()
        return self.scores[int(self.steps) - 1]


def run(model: Script, **keys: int):
    def steps(epoch: int) -> Iterator[dict[str, torch.Tensor]]:
        yield model.loss(epoch)

    return fitted(model, steps, model.score, **keys)


def fitted(
    model: nn.Module,
    steps: Callable[[int], Iterator[dict[str, torch.Tensor]]],
    score: Callable[[], float],
    **keys: int,
) -> tuple[Fit, Log]:
    groups: list[dict[str, Any]] = [{"params": list(model.parameters()), "lr": 0.1}]
    scored = lambda: torch.tensor(score(), dtype=torch.float64)  # noqa: E731
    log: Log = []
    train_spec = TrainSpec(model, lambda _: model.state_dict(), [groups], [0.0], steps, scored)
    return fit("student", train_spec, Training(**keys), [log])[0], log


def test_the_best_weights_are_kept_and_the_later_of_equal_epochs_wins() -> None:
    model = Script([0.1, 0.5, 0.9, 0.2, 0.9, 0.3])
    result, log = run(model, max_epochs=6, patience=50)
    assert (result.epochs, result.best_epoch, int(model.steps)) == (6, 4, 5)
    assert not model.training
    assert [row["val"] for row in log] == model.scores
    assert log[0] == {"stage": "student", "epoch": 0, "loss": 1.0, "term": 1.0, "val": 0.1}


def test_it_stops_when_the_best_score_has_not_been_reached_for_patience_epochs() -> None:
    result, log = run(Script([0.1, 0.9] + [0.5] * 20), max_epochs=20, patience=3)
    assert (result.epochs, result.best_epoch, len(log)) == (5, 1, 5)


def test_a_lucky_score_before_learning_begins_does_not_win() -> None:
    losses = [1.0, 0.9, 0.8, 0.4, 0.4, 0.4]
    result, _ = run(Script([0.1, 0.99, 0.5, 0.6, 0.7, 0.65], losses), max_epochs=6, patience=50)
    assert result.best_epoch == 4


def test_learning_has_begun_by_the_first_step_not_by_the_mean_of_the_first_epoch() -> None:
    """Steps of one epoch learn as well: half of their mean may never be reached."""
    model, losses = Script([0.9, 0.5, 0.6, 0.7]), iter([1.0, 0.4, 0.5, 0.4, 0.4, 0.4, 0.4, 0.4])

    def steps(epoch: int) -> Iterator[dict[str, torch.Tensor]]:
        model.steps += 1
        for _ in range(2):
            yield {"loss": model.weight * 0 + next(losses)}

    result, log = fitted(model, steps, model.score, max_epochs=4, patience=50)
    assert [row["loss"] for row in log] == pytest.approx([0.7, 0.45, 0.4, 0.4])
    assert result.best_epoch == 3  # not 0, whose score came before


def test_patience_waits_for_learning_to_begin_but_not_forever() -> None:
    late = [1.0] * 5 + [0.2] * 10
    result, _ = run(Script([0.3] * 5 + [0.9] + [0.5] * 9, late), max_epochs=15, patience=3)
    assert (result.best_epoch, result.epochs) == (5, 9)
    flat = [1.0] * 40
    result, _ = run(Script([0.5] * 6 + [0.8] + [0.3] * 30, flat), max_epochs=37, patience=3)
    assert (result.best_epoch, result.epochs) == (6, 10)


@pytest.mark.parametrize("patience", [1, 2, 3, 5])
def test_without_learning_it_counts_from_twice_patience_on(patience: int) -> None:
    """Scores before that do not count, not even the best of all; nor does patience run."""
    late = 2 * patience
    for lucky in range(late):
        scores = [0.1] * 40
        scores[lucky], scores[late] = 0.99, 0.5
        result, _ = run(Script(scores, [1.0] * 40), max_epochs=40, patience=patience)
        assert (result.best_epoch, result.epochs) == (late, late + patience + 1)


@pytest.mark.parametrize("begins", [1, 2, 3, 4])
def test_patience_does_not_run_before_learning_has_begun(begins: int) -> None:
    """Scores fall at first, for longer than patience."""
    scores = [0.9 - 0.1 * epoch for epoch in range(begins)] + [0.3] + [0.2] * 10
    losses = [1.0] * begins + [0.4] * 11
    result, _ = run(Script(scores, losses), max_epochs=len(scores), patience=2)
    assert (result.best_epoch, result.epochs) == (begins, begins + 3)


def test_where_learning_never_begins_the_best_epoch_of_all_is_taken() -> None:
    result, _ = run(Script([0.5, 0.9, 0.3], [1.0] * 3), max_epochs=3, patience=50)
    assert (result.best_epoch, result.epochs) == (1, 3)


def test_weights_that_are_not_finite_are_not_kept() -> None:
    model = Script([0.5], [1.0])
    model.register_buffer("broken", torch.tensor(float("inf")))
    with pytest.raises(GraphKDError, match="the student's weights are no longer finite"):
        run(model, max_epochs=1)


def test_a_loss_that_is_not_finite_ends_in_one_line() -> None:
    with pytest.raises(GraphKDError, match="the student's loss is nan in epoch 1: lower its learning rate"):
        run(Script([0.5] * 3, [1.0, float("nan"), 1.0]), max_epochs=3, patience=5)


def test_an_epoch_of_several_steps_moves_the_weights_at_each_and_records_the_mean() -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    seen: list[float] = []

    def steps(epoch: int) -> Iterator[dict[str, torch.Tensor]]:
        for target in (1.0, 3.0):
            seen.append(float(model.weight.detach()))
            yield {"loss": (model.weight - target).square().sum(), "half": torch.tensor(target / 2.0)}

    _, log = fitted(model, steps, lambda: 0.5, max_epochs=1)
    assert seen == [0.0, pytest.approx(0.1)]  # Adam's first step has the length of its rate
    assert log[0]["loss"] == pytest.approx((1.0 + (3.0 - 0.1) ** 2) / 2.0)
    assert log[0]["half"] == 1.0


@pytest.mark.parametrize("targets", [[3.0, -1.0], [1.0, 2.0, -4.0], [5.0], [-1.0, -1.0, 8.0, 0.5]])
def test_every_step_has_the_gradient_of_its_own_loss(targets: list[float]) -> None:
    """As in a loop that is written down: nothing of an earlier step is in it."""
    ends = []
    for own in (True, False):
        model = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(model.weight)

        def losses(model: nn.Linear = model) -> Iterator[torch.Tensor]:
            for target in targets:
                yield (model.weight.sum() - target).square()

        if own:
            optimizer = torch.optim.Adam(model.parameters(), lr=0.1, fused=True)
            for _ in range(3):
                for loss in losses():
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
        else:
            rising = iter([0.1, 0.2, 0.3])
            steps = lambda _: ({"loss": loss} for loss in losses())  # noqa: E731
            fitted(model, steps, lambda: next(rising), max_epochs=3, patience=50)  # noqa: B023
        ends.append(float(model.weight.detach()))
    assert ends[0] == ends[1]
