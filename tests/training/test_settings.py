import pytest

from graphkd import GraphKDError, Training

OPTIMISER: tuple[tuple[str, object], ...] = (
    ("optimizer", "sgd"),
    ("optimizer", None),
    ("schedule", "step"),
    ("schedule", True),
    ("warmup", -1),
    ("warmup", 1.5),
    ("warmup", True),
    ("warmup", 500),
    ("clip_norm", 0.0),
    ("clip_norm", -1.0),
    ("clip_norm", float("nan")),
    ("clip_norm", float("inf")),
    ("clip_norm", "1"),
    ("label_smoothing", 1.0),
    ("label_smoothing", -0.1),
    ("label_smoothing", float("nan")),
    ("label_smoothing", None),
)
"""Settings that teacher and student have each."""


@pytest.mark.parametrize(
    "keys",
    [
        {"max_epochs": 0},
        {"patience": 0},
        {"lr": 0.0},
        {"teacher_lr": -1.0},
        {"weight_decay": -1.0},
        {"lr": float("nan")},
        {"batch_size": 0},
        {"batch_size": 1.5},
        {"batch_size": True},
        {"teacher_batches": "half"},
        {"teacher_batch_size": 0},
        {"fanout": 0},
        {"fanout": []},
        {"fanout": [5, 2.5]},
        {"parts": 0},
        {"parts_per_step": True},
        {"parts_per_step": 33},
        {"partitioner": "louvain"},
        {"metric": "f1"},
        {"metric": 3},
        {"teacher_label_rate": 1.0},
        {"teacher_label_rate": -0.5},
        {"teacher_label_rate": True},
        {"teacher_label_reuse": -1},
        {"teacher_label_reuse": 0.5},
        *({of + name: value} for of in ("", "teacher_") for name, value in OPTIMISER),
    ],
)
def test_values_outside_their_range_are_refused(keys: dict) -> None:
    with pytest.raises(GraphKDError, match=f"training.{next(iter(keys))} is"):
        Training(**keys)


def test_labels_as_inputs_need_the_whole_graph_and_reuse_needs_them() -> None:
    with pytest.raises(GraphKDError, match=r"^training.teacher_label_reuse is 1, but no labels are inputs: set"):
        Training(teacher_label_reuse=1)
    for way in ("checkpointed", "neighbours", "partitions"):
        with pytest.raises(GraphKDError, match=r"the whole graph in a step: use training.teacher_batches=full"):
            Training(teacher_label_rate=0.5, teacher_batches=way)
