"""Conversion of Hydra configs to the parts of a run of links, and the keys that only runs of nodes have."""

from __future__ import annotations

from dataclasses import fields, replace

from omegaconf import DictConfig

from graphkd import methods
from graphkd.config import make_part
from graphkd.distributed import world
from graphkd.errors import GraphKDError
from graphkd.links.heuristic_teachers import HeuristicTeacher
from graphkd.links.methods import GLNN, Labels, LinkMethod
from graphkd.links.settings import LinkTraining
from graphkd.links.spec import LinkSpec
from graphkd.links.teacher import Factory
from graphkd.students import MLP
from graphkd.tasks.choice import LINK
from graphkd.teachers import VQGraph
from graphkd.training.settings import Training

EMPTY = {
    "encoder": "auto",
    **dict.fromkeys(("matching", "transform", "calibration", "balance", "term"), "none"),
}
"""Groups that a run of links has no use for, and their only choice."""

OPTIMISED = ("max_epochs", "patience", "lr", "weight_decay", "batch_size")
"""Settings of training for the student of links."""

TEACHER_OPTIMISED = ("teacher_lr", "teacher_weight_decay")
"""And for its teacher."""


def is_links(config: DictConfig) -> bool:
    """Returns whether a composed config is of a run of links."""
    return bool(config.dataset.get("task") == LINK)


def link_spec_from(config: DictConfig) -> LinkSpec:
    """Builds the parts of a run of links that a composed config names.

    Raises:
        GraphKDError: a value outside its range, a part for nodes alone, or a key that would have no effect.
    """
    method = _method(config)  # before its influence, which comes with it
    _check_unused(config)
    decoder = make_part("decoder", config.decoder)
    training = _training(config, decoder.dim)
    teacher, teacher_training = _teacher(config, training)
    return LinkSpec(
        teacher,
        method,
        "dot" if decoder.name == "auto" else decoder.name,
        training,
        teacher_training,
        config.setting.name,
    )


def _method(config: DictConfig) -> LinkMethod:
    """Returns the method, of which some have one name for nodes and for links."""
    method = make_part("method", config.method)
    if isinstance(method, LinkMethod):
        return method
    if isinstance(method, methods.GLNN):
        return GLNN(method.lam, method.tau)
    if isinstance(method, methods.MLP):
        return Labels()
    raise GraphKDError(f"method={method.name} is for labels of nodes: choose llp, glnn or mlp for links")


def _training(config: DictConfig, embedding_dim: int) -> LinkTraining:
    """Returns the student's sizes and optimisation."""
    student = make_part("student", config.student, partial=True)
    sizes = dict(student.keywords)
    if student.func is not MLP or sizes.pop("norm", "none") != "none":
        raise GraphKDError("student must be mlp with student.norm=none for links: leave it out")
    given = {key: config.training[key] for key in OPTIMISED}
    return LinkTraining(**given, **sizes, embedding_dim=embedding_dim)


def _teacher(config: DictConfig, training: LinkTraining) -> tuple[str | Factory, LinkTraining]:
    """Returns the teacher, and how it is optimised."""
    teacher = make_part("teacher", config.teacher, partial=True)
    if issubclass(teacher.func, HeuristicTeacher):
        return teacher.func.name, training
    if teacher.func is VQGraph:
        raise GraphKDError("teacher=vqgraph has a loss of its own, for nodes: choose another teacher for links")
    own = {"lr": config.training.teacher_lr, "weight_decay": config.training.teacher_weight_decay}
    return teacher, replace(training, **own, batch_size=None)


def _check_unused(config: DictConfig) -> None:
    """Refuses what would have no effect on a run of links."""
    for group, only in EMPTY.items():
        name = make_part(group, config[group]).name
        if name != only:
            raise GraphKDError(f"{group}={name} is for labels of nodes: leave it out for links")
    if config.influence is not None:
        raise GraphKDError("influence is for labels of nodes: leave it out for links")
    for key in (each.name for each in fields(Training) if each.name not in (*OPTIMISED, *TEACHER_OPTIMISED)):
        if config.training[key] != getattr(Training, key):
            raise GraphKDError(f"training.{key} is for labels of nodes: leave it out for links")
    wanted = {
        "save_teacher": config.save_teacher,
        "memory_budget": config.memory_budget is not None,
        "cluster": make_part("cluster", config.cluster).name != "none",
        "table_dtype": config.table_dtype != "float32",
        "deploy.calibrate": config.deploy.calibrate,
        "device": config.device not in ("auto", "cpu"),
        "torchrun": world().is_distributed,
    }
    for key, is_wanted in wanted.items():
        if is_wanted:
            raise GraphKDError(f"{key} is not for links, which one process trains on the processor: leave it out")
