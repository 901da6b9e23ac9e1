"""The shift of logit adjustment post hoc is part of the student that is shipped."""

from dataclasses import replace
from pathlib import Path

import torch

import graphkd
from graphkd.balance import LogitAdjustment
from graphkd.runs import SeedRun
from graphkd.spec import resolve
from graphkd.training.settings import Training
from graphkd.training.stages.stage_cache import StageCache
from tests.balance.test_balance import graph_of

SHORT = Training(max_epochs=3, patience=3)


def test_it_trains_as_without_and_its_scores_and_its_baseline_s_are_of_the_shifted_answer(tmp_path: Path) -> None:
    graph, cache = graph_of(1, 4, 6), StageCache(tmp_path)
    plain = SeedRun.train(graph, resolve(training=SHORT), 0, True, cache)
    made = len(cache.made)
    part = LogitAdjustment(strength=3.0, post_hoc=True)
    spec = resolve(training=SHORT, balance=part)
    shifted = SeedRun.train(graph, spec, 0, True, cache)
    assert len(cache.made) == made  # every network was found
    assert shifted.log == plain.log
    part.build(graph, torch.zeros(60, 3))
    one, other = (run.distilled.model.state_dict() for run in (plain, shifted))
    for name in one:
        moved = part.shift.float() if name == "layers.1.bias" else 0.0
        assert torch.equal(one[name] - moved, other[name])
    logits = shifted.distilled.model(graph.x).logits[graph.test]
    assert shifted.distilled.scores["test"] == graphkd.evaluation.accuracy(logits, graph.y[graph.test])
    assert shifted.distilled.scores != plain.distilled.scores


def test_a_saved_bundle_answers_so(tmp_path: Path) -> None:
    data = graphkd.load_dataset("digits", imbalance=0.1)
    part = LogitAdjustment(post_hoc=True)
    run = graphkd.distill(data, training=replace(SHORT, max_epochs=2), balance=part, device="cpu", baseline=False)
    run.save(tmp_path / "run")
    expected = run.student.eval()(data.x[:5].float()).logits.softmax(dim=1)
    found = torch.as_tensor(graphkd.load_bundle(tmp_path / "run" / "bundle").predict_proba(data.x[:5]))
    torch.testing.assert_close(found, expected.detach(), rtol=1e-5, atol=1e-6)
