import time
from dataclasses import asdict
from pathlib import Path

import pytest

from graphkd.tuning.candidate import Candidate
from graphkd.tuning.problem import Problem
from graphkd.tuning.scoring import Scorer
from graphkd.tuning.workers import workers_of
from tests.conftest import make_data
from tests.tiers import some_of

SHORT = ("training.max_epochs=12", "student.hidden_dim=8", "teacher.hidden_dim=8", "device=cpu")
STUDENT = Candidate(0, ("method=glnn", "encoder=raw"), teacher=("teacher=gcn",))
TEACHER = Candidate(1, ("teacher=gcn",), "teacher")
READING = [
    Candidate(2, ("method=krd", "encoder=propagated", "transform=correct_and_smooth")),
    Candidate(3, ("method=cohop", "encoder=labels", "student.num_layers=1")),
]
NEVER = time.time() + 1e6


SETTINGS = {
    "production": ("setting=production",),
    "transductive": (),
    "cold start, macro-F1": ("setting=cold_start", "training.metric=macro_f1"),
    "inductive": ("setting=inductive",),
    "class weights": ("training.class_weight=balanced", "training.metric=balanced_accuracy"),
}


@pytest.mark.slow
@pytest.mark.parametrize("setting", some_of(SETTINGS, 5))
def test_scores_do_not_depend_on_labels_of_test_nodes(tmp_path: Path, setting: str) -> None:
    """Nor does anything else that is returned; labels of validation nodes do change them."""
    data, other, third = make_data(120), make_data(120), make_data(120)
    given = (*SHORT, *SETTINGS[setting])
    unseen = ~(data.train_mask | data.val_mask)
    other.y[unseen] = (other.y[unseen] + 1) % 3
    third.y[data.val_mask] = (third.y[data.val_mask] + 1) % 3
    found = []
    for number, each in enumerate((data, other, third)):
        scorer = Scorer(Problem(given, each), tmp_path / str(number))
        results = [asdict(scorer.result(candidate, 0, NEVER)) for candidate in (STUDENT, TEACHER, *READING)]
        found.append([{**result, "seconds": 0} for result in results])
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_a_score_is_that_of_the_validation_nodes(tmp_path: Path) -> None:
    import graphkd

    scorer = Scorer(Problem(SHORT, make_data()), tmp_path)
    training = graphkd.Training(max_epochs=12)
    parts = {"teacher": _narrow(graphkd.teachers.GCN), "student": _narrow(graphkd.students.MLP)}
    run = graphkd.distill(make_data(), method="glnn", training=training, baseline=False, device="cpu", **parts)
    (entry,) = run.metrics["seeds"]
    assert scorer.result(STUDENT, 0, NEVER).val == entry["student"]["val"]
    assert scorer.result(TEACHER, 0, NEVER).val == entry["teacher"]["val"]


def _narrow(part):
    import functools

    return functools.partial(part, hidden_dim=8)


def test_validation_selects_by_the_metric_that_is_asked_for(tmp_path: Path) -> None:
    scorer = Scorer(Problem((*SHORT, "training.metric=macro_f1"), make_data()), tmp_path)
    plain = Scorer(Problem(SHORT, make_data()), tmp_path)
    assert scorer.result(STUDENT, 0, NEVER).val != plain.result(STUDENT, 0, NEVER).val


def test_what_cannot_be_trained_has_an_error(tmp_path: Path) -> None:
    scorer = Scorer(Problem(SHORT, make_data()), tmp_path)
    result = scorer.result(Candidate(3, ("method=glnn", "student.dropout=7")), 0, NEVER)
    assert result.val is None
    assert "dropout is 7" in result.error


def test_training_stops_when_the_time_is_over(tmp_path: Path) -> None:
    scorer = Scorer(Problem(SHORT, make_data()), tmp_path)
    for candidate in (STUDENT, TEACHER):
        result = scorer.result(candidate, 0, time.time() - 1)
        assert (result.val, result.error) == (None, "stopped: out of time")


def test_a_teacher_is_trained_once_for_its_students(tmp_path: Path) -> None:
    scorer = Scorer(Problem(SHORT, make_data()), tmp_path)
    others = [Candidate(k, ("method=glnn", "encoder=raw", f"training.lr=0.00{k}")) for k in (1, 2)]
    scorer([TEACHER, STUDENT, *others], 0, NEVER)
    assert scorer.cache.made.count("teacher") == 1
    assert scorer.cache.made.count("student") == 3


@pytest.mark.slow
def test_students_of_one_shape_can_train_together(tmp_path: Path) -> None:
    """With the scores that they have alone, up to the order of sums; one that cannot be built has its error."""
    rates = [Candidate(k, ("method=glnn", f"training.lr=0.0{k}")) for k in (1, 2, 3)]
    broken = Candidate(4, ("method=glnn", "student.dropout=7"))
    alone = Scorer(Problem(SHORT, make_data()), tmp_path / "alone", together=False)
    together = Scorer(Problem(SHORT, make_data()), tmp_path / "together", together=True)
    one, many = alone([*rates, broken], 0, NEVER), together([*rates, broken], 0, NEVER)
    assert together.cache.made.count("student") == 3
    for first, second in zip(one, many, strict=True):
        assert first.error == second.error
        assert first.val == pytest.approx(second.val, abs=1 / 12) if first.val else second.val is None


def test_a_graph_without_features_has_scores_of_positions(tmp_path: Path) -> None:
    data = make_data()
    data.x = None
    positions = ("encoder=positions", "encoder.features=none", "encoder.dim=4")
    scorer = Scorer(Problem(SHORT, data), tmp_path)
    for candidate in (Candidate(0, ("method=glnn", *positions)), Candidate(1, positions, "teacher")):
        assert 0 <= (scorer.result(candidate, 0, NEVER).val or -1) <= 1


@pytest.mark.slow
def test_processes_score_as_this_one_does(tmp_path: Path) -> None:
    problem = Problem(SHORT, make_data())
    tasks = [([STUDENT], seed) for seed in (0, 1)]
    found = []
    for count in (1, 2):
        with workers_of(problem, tmp_path / str(count), count) as workers:
            results = [result for results in workers.results(tasks, NEVER) for result in results]
        found.append(sorted((result.seed, result.val) for result in results))
    assert found[0] == found[1]


def test_scores_by_roc_auc_are_there_though_made_up_labels_of_hidden_nodes_are_of_one_class(
    tmp_path: Path,
) -> None:
    """Of 20 test nodes four are hidden; with two classes these can be of one."""
    data = make_data(num_classes=2)
    data.metric = "roc_auc"
    scorer = Scorer(Problem((*SHORT, "setting=production"), data), tmp_path)
    for seed in range(8):
        result = scorer.result(STUDENT, seed, NEVER)
        assert result.error == ""
        assert 0 <= result.val <= 1


def test_whatever_fails_in_a_candidate_is_its_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from graphkd.tuning import scoring

    def fails(*_: object, **__: object) -> None:
        raise MemoryError("not enough\nmemory")

    monkeypatch.setattr(scoring.SeedRun, "train", fails)
    result = Scorer(Problem(SHORT, make_data()), tmp_path).result(STUDENT, 0, NEVER)
    assert (result.val, result.error) == (None, "MemoryError: not enough")
