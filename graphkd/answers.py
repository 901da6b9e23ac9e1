"""What a student's outputs mean to a user, by task; it needs no torch, as bundles are read without it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from graphkd.classes import Classes, ClassName, check_numbers
from graphkd.errors import GraphKDError

FloatArray = NDArray[np.float32]
Softmax = Callable[[FloatArray], FloatArray]


class Answers(ABC):
    """The answers of one student.

    Args:
        names: ``C`` of classes, labels or targets, or None.
    """

    task: ClassVar[str]
    outputs: ClassVar[dict[str, tuple[str, bool]]]
    """Names of the outputs of ``/v2``, their types, and whether there is one number per row."""

    def __init__(self, names: Sequence[ClassName] | None) -> None:
        self.names = None if names is None else list(names)

    @abstractmethod
    def scores(self, logits: FloatArray, softmax: Softmax) -> FloatArray:
        """Computes probabilities, or for regression the predicted numbers, ``[B, C]``.

        Args:
            logits: ``[B, C]`` of the student.
            softmax: of the runtime.
        """

    @abstractmethod
    def best(self, scores: FloatArray) -> NDArray[Any]:
        """Returns what ``predict`` does, of scores ``[B, C]``.

        Raises:
            GraphKDError: a score is no number.
        """

    @abstractmethod
    def of_logits(self, logits: FloatArray) -> NDArray[Any]:
        """Returns the same of logits ``[B, C]``."""

    @abstractmethod
    def entries(self, logits: FloatArray, scores: FloatArray) -> list[dict[str, Any]]:
        """Returns a JSON object per row, for ``/predict``."""

    @abstractmethod
    def tensors(self, logits: FloatArray, scores: FloatArray) -> dict[str, NDArray[Any]]:
        """Returns the outputs of ``/v2`` by name."""

    @abstractmethod
    def cells(self, scores: FloatArray) -> dict[str, list[Any]]:
        """Returns the columns of a csv by name, besides those of all probabilities."""

    def check(self, scores: FloatArray) -> None:
        """Raises if a score is no number."""
        _check_rows(scores)

    def check_proba(self) -> None:  # noqa: B027 (most tasks have probabilities)
        """Raises where there are no probabilities."""

    @abstractmethod
    def agreement(self, one: FloatArray, other: FloatArray) -> float:
        """Returns the share of rows with the same answer, of any logits ``[B, C]`` of two runtimes."""

    def unit(self, logits: FloatArray) -> float:
        """Returns the size by which a difference of logits ``[B, C]`` is measured."""
        return 1.0


class ClassAnswers(Answers):
    """One class per row.

    >>> ClassAnswers(["no", "yes"]).best(np.array([[0.2, 0.8]], dtype=np.float32)).tolist()
    ['yes']
    """

    task = "multiclass"
    outputs: ClassVar = {"probabilities": ("FP32", False), "logits": ("FP32", False), "classes": ("INT64", True)}

    def __init__(self, names: Sequence[ClassName] | None) -> None:
        super().__init__(names)
        self._classes = Classes(names)

    def scores(self, logits: FloatArray, softmax: Softmax) -> FloatArray:
        """Computes the probabilities of the classes; rows sum to 1."""
        return softmax(logits)

    def check(self, scores: FloatArray) -> None:
        """Raises if a row is no number: its softmax is NaN as a whole."""
        check_numbers(scores[:, 0])

    def best(self, scores: FloatArray) -> NDArray[Any]:
        """Returns the most probable class of each row, ``[B]``."""
        return self._classes.best(scores)

    def of_logits(self, logits: FloatArray) -> NDArray[Any]:
        """Returns the class with the largest logit, ``[B]``."""
        return self._classes.best(logits)

    def agreement(self, one: FloatArray, other: FloatArray) -> float:
        """Returns the share of rows with the same class."""
        return float((one.argmax(axis=1) == other.argmax(axis=1)).mean())

    def entries(self, logits: FloatArray, scores: FloatArray) -> list[dict[str, Any]]:
        """Returns class, name, probability and all probabilities; classes by logits, as in ``predict``."""
        classes, names = logits.argmax(axis=1).tolist(), self.names
        return [
            {
                "class": best,
                **({} if names is None else {"name": str(names[best])}),
                "probability": row[best],
                "probabilities": row,
            }
            for best, row in zip(classes, scores.tolist(), strict=True)
        ]

    def tensors(self, logits: FloatArray, scores: FloatArray) -> dict[str, NDArray[Any]]:
        """Returns ``probabilities``, ``logits`` and ``classes``."""
        return {"probabilities": scores, "logits": logits, "classes": logits.argmax(axis=1).astype(np.int64)}

    def cells(self, scores: FloatArray) -> dict[str, list[Any]]:
        """Returns ``class``, ``name`` where classes have names, and ``probability``."""
        best = scores.argmax(axis=1)
        top = np.take_along_axis(scores, best[:, None], axis=1)[:, 0]
        names = {} if self.names is None else {"name": [self.names[each] for each in best.tolist()]}
        return {"class": best.tolist(), **names, "probability": [f"{each:.6f}" for each in top.tolist()]}


class LabelAnswers(Answers):
    """Any number of labels per row: those with a probability above one half.

    >>> answers = LabelAnswers(["red", "round"])
    >>> answers.best(np.array([[0.2, 0.8]], dtype=np.float32)).tolist()
    [[0, 1]]
    """

    task = "multilabel"
    outputs: ClassVar = {"probabilities": ("FP32", False), "logits": ("FP32", False), "labels": ("INT64", False)}

    def scores(self, logits: FloatArray, softmax: Softmax) -> FloatArray:
        """Computes ``σ(z)`` in float64, rounded once: the same numbers in every runtime."""
        wide = np.where(np.isfinite(logits), logits, np.nan).astype(np.float64)  # an overflow is no certainty
        small = np.exp(-np.abs(wide))
        return np.asarray(np.where(wide >= 0, 1.0, small) / (1.0 + small), dtype=np.float32)

    def best(self, scores: FloatArray) -> NDArray[Any]:
        """Returns ``[B, L]`` of 0 and 1, scikit-learn's indicator of labels."""
        _check_rows(scores)
        return np.asarray(scores > 0.5, dtype=np.int64)

    def of_logits(self, logits: FloatArray) -> NDArray[Any]:
        """Returns the same of logits, which are above 0."""
        _check_rows(logits)
        return np.asarray(logits > 0, dtype=np.int64)

    def agreement(self, one: FloatArray, other: FloatArray) -> float:
        """Returns the share of rows with all the same labels."""
        return float(((one > 0) == (other > 0)).all(axis=1).mean())

    def entries(self, logits: FloatArray, scores: FloatArray) -> list[dict[str, Any]]:
        """Returns the labels of each row, names or numbers, and all probabilities."""
        return [
            {"labels": labels, "probabilities": row}
            for labels, row in zip(self.listed(logits > 0), scores.tolist(), strict=True)
        ]

    def tensors(self, logits: FloatArray, scores: FloatArray) -> dict[str, NDArray[Any]]:
        """Returns ``probabilities``, ``logits`` and ``labels``."""
        return {"probabilities": scores, "logits": logits, "labels": np.asarray(logits > 0, dtype=np.int64)}

    def cells(self, scores: FloatArray) -> dict[str, list[Any]]:
        """Returns ``labels``, with ``;`` between the labels of a row."""
        return {"labels": [";".join(map(str, labels)) for labels in self.listed(scores > 0.5)]}

    def listed(self, has: NDArray[np.bool_]) -> list[list[Any]]:
        """Returns the labels of each row, names or numbers, of a table ``[B, L]`` of what it has."""
        names = list(range(has.shape[1])) if self.names is None else [str(name) for name in self.names]
        return [[names[k] for k in row.nonzero()[0].tolist()] for row in has]


class NumberAnswers(Answers):
    """One or several numbers per row, in the user's units.

    >>> NumberAnswers(None).best(np.array([[2.5], [3.0]], dtype=np.float32)).tolist()
    [2.5, 3.0]
    """

    task = "regression"
    outputs: ClassVar = {"values": ("FP32", False)}

    def scores(self, logits: FloatArray, softmax: Softmax) -> FloatArray:
        """Returns the outputs themselves."""
        return logits

    def best(self, scores: FloatArray) -> NDArray[Any]:
        """Returns ``[B]``, or ``[B, T]`` of several targets."""
        _check_rows(scores)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def of_logits(self, logits: FloatArray) -> NDArray[Any]:
        """Returns the same."""
        return self.best(logits)

    def entries(self, logits: FloatArray, scores: FloatArray) -> list[dict[str, Any]]:
        """Returns the numbers of each row by the names of the targets."""
        names = self.columns(scores.shape[1])
        return [{"values": dict(zip(names, row, strict=True))} for row in scores.tolist()]

    def tensors(self, logits: FloatArray, scores: FloatArray) -> dict[str, NDArray[Any]]:
        """Returns ``values``."""
        return {"values": scores}

    def cells(self, scores: FloatArray) -> dict[str, list[Any]]:
        """Returns a column per target, with as many digits as tell apart two numbers of single precision."""
        columns = [[f"{each:.9g}" for each in column] for column in scores.T.tolist()]
        return dict(zip(self.columns(scores.shape[1]), columns, strict=True))

    def columns(self, count: int) -> list[str]:
        """Returns the names of the targets' columns."""
        if self.names is not None:
            return [str(name) for name in self.names]
        return ["value"] if count == 1 else [f"value_{k}" for k in range(count)]

    def check_proba(self) -> None:
        """Raises: numbers have no probabilities."""
        raise GraphKDError("this student predicts numbers, which have no probabilities: call predict")

    def agreement(self, one: FloatArray, other: FloatArray) -> float:
        """Returns 1: numbers differ by rounding, which their largest difference says."""
        return 1.0

    def unit(self, logits: FloatArray) -> float:
        """Returns the size of the largest output, at least 1e-30: rounding in float32 is relative to it."""
        return max(float(np.abs(logits).max(initial=0.0)), 1e-30)


KINDS: dict[str, type[Answers]] = {
    "multiclass": ClassAnswers,
    "binary": ClassAnswers,
    "multilabel": LabelAnswers,
    "regression": NumberAnswers,
}
"""Answers by the name of the task."""


def answers_of(task: str, names: Sequence[ClassName] | None) -> Answers:
    """Returns the answers of a student of a task, with the names of its outputs."""
    return KINDS[task](names)


def _check_rows(scores: FloatArray) -> None:
    if len(scores):
        with np.errstate(all="ignore"):
            check_numbers(scores.sum(axis=1))
