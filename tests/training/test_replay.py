"""What a CUDA graph repeats, repeated here without one: the loop must not ask the device in between."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from graphkd import GraphKDError, Training
from graphkd.datasets import Graph, Scene
from graphkd.recipe import resolve
from graphkd.training import loop
from graphkd.training.artefacts import Artefacts
from graphkd.training.student import StudentResult, train_student
from graphkd.training.teach import teach
from graphkd.training.together import Member, train_together
from tests.conftest import make_data


class Repeated:
    """Calls the epoch again, as a graph would repeat what it did; counts how often it was made."""

    made = 0

    def __init__(self, epoch: Callable[[], None], generators: Sequence[torch.Generator]) -> None:
        self.epoch = epoch
        type(self).made += 1

    def __call__(self, times: int) -> None:
        for _ in range(times):
            self.epoch()


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "can_replay", lambda device: True)
    monkeypatch.setattr(loop, "Replay", Repeated)
    monkeypatch.setattr(Repeated, "made", 0)


def train(training: Training, cache: Artefacts | None = None) -> tuple[StudentResult, list]:
    recipe = resolve(matching="forward", method="infgrand", training=training)
    scene, log = Scene.of(Graph.from_data(make_data()), "transductive", 0), []
    return train_student(scene, recipe, teach(scene, recipe, 0, []), 0, log, cache), log


@pytest.mark.parametrize("training", [Training(70, 100), Training(200, 5), Training(41, 50), Training(2, 50)])
def test_looking_every_few_epochs_changes_nothing(
    training: Training, replayed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, log = train(training)
    assert bool(Repeated.made) == (training.max_epochs > 2)
    monkeypatch.setattr(loop, "can_replay", lambda device: False)
    here, own = train(training)
    assert log == own
    assert (there.fit.epochs, there.fit.best_epoch, there.scores) == (
        here.fit.epochs,
        here.fit.best_epoch,
        here.scores,
    )
    for name, tensor in here.task.state_dict().items():
        assert torch.equal(there.task.state_dict()[name], tensor)


def test_members_that_are_over_are_left_out_of_the_next_graph(
    replayed: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recipe = resolve(training=Training(300, 4, together=True))
    found = []
    for seed in range(4):
        scene = Scene.of(Graph.from_data(make_data()), "transductive", seed)
        found.append(Member(scene, recipe, teach(scene, recipe, seed, []), seed))
    cache = Artefacts(tmp_path)
    Repeated.made = 0
    train_together(found, cache)
    assert Repeated.made > 1
    alone = replace(recipe, training=replace(recipe.training, together=False))
    for member in found:
        parts = member.scene, member.recipe, member.taught, member.seed
        together = train_student(*parts, [], cache)
        other = train_student(member.scene, alone, member.taught, member.seed, [])
        assert (together.fit.epochs, together.fit.best_epoch) == (other.fit.epochs, other.fit.best_epoch)


def test_a_loss_that_is_not_finite_is_told_with_its_epoch(replayed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from graphkd.training.task import Distillation

    loss, calls = Distillation.loss, []

    def broken(self, output, batch):
        calls.append(0)
        terms = loss(self, output, batch)
        return {name: term * (float("nan") if len(calls) == 12 else 1) for name, term in terms.items()}

    monkeypatch.setattr(Distillation, "loss", broken)
    with pytest.raises(GraphKDError, match="the student's loss is nan in epoch 11: lower its learning rate"):
        train(Training(100, 200))
