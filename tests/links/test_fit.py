"""The loop keeps the last of the best epochs, and stops after those that were no better."""

import pytest
import torch
from torch import Tensor, nn

from graphkd.links.fit import LinkFit, fit
from graphkd.links.settings import LinkTraining

SCORES = [0.5, 0.7, 0.7, 0.6, 0.1, 0.2]


def trained(patience: int) -> tuple[LinkFit, Tensor, list[Tensor]]:
    """A weight that falls in every epoch, with given scores; returns the weight after each epoch as well."""
    model, after = nn.Linear(1, 1, bias=False), list[Tensor]()

    def loss() -> Tensor:
        return model.weight.sum()

    def validate() -> float:
        after.append(model.weight.detach().clone())
        return SCORES[len(after) - 1]

    training = LinkTraining(max_epochs=len(SCORES), patience=patience, weight_decay=0.0)
    facts = fit(model, lambda _: [loss], validate, training)
    return facts, model.weight.detach(), after


def test_the_last_of_the_best_epochs_is_kept() -> None:
    facts, weight, after = trained(patience=6)
    assert (facts.epochs, facts.best_epoch, facts.val_auc) == (6, 3, 0.7)
    assert torch.equal(weight, after[2])
    assert not torch.equal(after[2], after[-1])


def test_training_stops_after_epochs_that_are_no_better(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphkd.links.fit.UNLEARNING", 0)
    assert trained(patience=2)[0].epochs == 5


def test_no_training_stops_in_its_first_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphkd.links.fit.UNLEARNING", 6)
    assert trained(patience=2)[0].epochs == 6
