"""Seeds that used to collapse on real graphs, with the published settings: they learn."""

from pathlib import Path

import pytest

import graphkd
from graphkd.config import composed, spec_from
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.training.stages.student import train_student
from graphkd.training.stages.teacher import train_teacher

pytestmark = pytest.mark.slow


def trained(cell: str, seed: int, data_dir: Path) -> tuple[float, float]:
    """Validation scores of teacher and student."""
    config = composed([f"experiment=infgrand/{cell}_transductive"])
    spec = spec_from(config)
    data = graphkd.load_dataset(
        config.dataset.name, data_dir, split=config.dataset.split, seed=seed, download="never"
    )
    view = apply_setting(Graph.from_data(data))
    teacher_result = train_teacher(view, spec, seed, [])
    return teacher_result.scores["val"], train_student(view, spec, teacher_result, seed, []).scores["val"]


def test_citeseer_s_student_starts_although_its_teacher_s_labels_are_soft(data_dir: Path) -> None:
    """Seeds 1 and 3 stayed at 0.41 for 500 epochs; the released code's student of 2025 at 0.33."""
    teacher, student = trained("citeseer_gcn", 3, data_dir)
    assert teacher > 0.68
    assert student > 0.7


def test_photo_s_gat_does_not_lean_on_dropped_attention(data_dir: Path) -> None:
    """With drawn attention vectors the teacher of this seed stopped at 0.28."""
    teacher, student = trained("photo_gat", 2022, data_dir)
    assert teacher > 0.8
    assert student > 0.8
