"""Refusals of balances that would change nothing, or cannot be computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphkd.errors import GraphKDError
from graphkd.students import MLP

if TYPE_CHECKING:
    from graphkd.balance.base import Balance
    from graphkd.methods import Method
    from graphkd.training.settings import Training

WITHOUT = {"label": 0, "soft": 1}
"""``lam`` of a method without the term."""


def check_balance(balance: Balance, method: Method, student: Any, training: Training, given: bool) -> None:
    """Checks that what a balance changes, and the prior that it reads, are there; likewise for class weights.

    Args:
        balance: of classes.
        method: whose losses it changes.
        student: class of the student.
        training: names the class weights.
        given: whether the teacher is given, so that none is trained.

    Raises:
        GraphKDError: they are not.
    """
    name, acts_on = f"balance={balance.name}", balance.acts_on
    if balance.reads_teacher and not method.has_teacher:
        other = "another balance" if acts_on == "soft" else "balance.prior=labels"
        raise GraphKDError(f"method={method.name} reads no teacher, but {name} does: choose {other}")
    lam = WITHOUT.get(acts_on)
    if lam is not None and method.lam == lam:
        raise GraphKDError(
            f"{name} changes the {acts_on} loss, which method.lam={lam} leaves out: set method.lam "
            f"{'below 1' if lam else 'above 0'}, or leave balance out"
        )
    if acts_on == "answer" and (student is not MLP or method.ships != "mlp"):
        several = (
            f"student={student.name}" if student is not MLP else f"the {method.ships} of method={method.name}"
        )
        raise GraphKDError(
            f"{name} post hoc shifts the bias of the last layer, which {several} does not end with: leave "
            "balance.post_hoc out, or choose a method and a student that ship one MLP"
        )
    if balance.regroups and method.has_teacher and not method.folds_teacher:
        raise GraphKDError(
            f"{name} takes folded soft targets apart, and method={method.name} folds none: choose balance=bkd, or "
            "leave balance out"
        )
    if training.class_weight != "none":
        _check_class_weight(balance, method, given)


def _check_class_weight(balance: Balance, method: Method, given: bool) -> None:
    if balance.name == "effective_number":
        raise GraphKDError(
            "balance=effective_number and training.class_weight both weight the label loss: leave one of them out"
        )
    if given and method.lam == 0:
        raise GraphKDError(
            "training.class_weight weights labels, which neither a given teacher nor a student with method.lam=0 "
            "is trained on: leave it out, or set method.lam above 0"
        )
