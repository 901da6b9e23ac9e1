"""Operations of four kinds, and how many of each the parts that students share have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LINE = 16
"""Numbers in a cache line, or a vector register: a shorter row costs products as much as one of so many."""

ADAM, TRANSPOSED = 5, 4
"""Passes of Adam: two moments, root, quotient, weight. And of a transposed copy, which moves one number at a time:
measured, 4 to 5."""


@dataclass(frozen=True)
class Work:
    """Operations of a step.

    Args:
        dense: multiply-adds of dense products.
        sparse: of sparse products.
        moved: entries of elementwise passes, sums, copies and gathers, one per operation and entry of its table.
        softmax: softmaxes of ``C`` numbers and their gradients, each of which takes as long as many passes.
    """

    dense: float = 0.0
    sparse: float = 0.0
    moved: float = 0.0
    softmax: float = 0.0

    def __add__(self, other: Work) -> Work:
        return Work(*(a + b for a, b in zip(self.counts(), other.counts(), strict=True)))

    def __mul__(self, times: float) -> Work:
        return Work(*(times * a for a in self.counts()))

    def counts(self) -> tuple[float, float, float, float]:
        """Returns the four numbers."""
        return self.dense, self.sparse, self.moved, self.softmax


@dataclass(frozen=True)
class Sizes:
    """What the counts depend on.

    Args:
        n, e: nodes ``N``; edges ``E`` in each direction, without self-loops.
        columns, entries: ``D`` of the student's inputs, with what its encoder adds; and their entries, of
            factored inputs with those of the operator for each hop.
        classes, d: ``C``; and the hidden width.
        labelled: nodes with a label, ``L``.
        dense: whether the inputs are a dense table.
        drops, norm: whether the student has dropout, and batch norm.
        codes: ``M`` of the teacher's codebook, or 0.
        method: with its settings.
        phase: number of the phase, from 0.
    """

    n: int
    e: int
    columns: int
    entries: int
    classes: int
    d: int
    labelled: int
    dense: bool
    drops: bool
    norm: bool
    codes: int
    method: Any
    phase: int = 0

    @property
    def c(self) -> int:
        """Classes, as products count them."""
        return max(self.classes, LINE)

    def inputs(self, times: int, width: int = 0) -> Work:
        """Returns so many products of the inputs with a table of a width, by default ``d``."""
        count = times * (width or self.d)
        return Work(dense=count * self.n * self.columns) if self.dense else Work(sparse=count * self.entries)

    def hidden(self, learns: bool = True, drops: bool | None = None) -> Work:
        """Returns a hidden layer's passes: bias or norm, ReLU, dropout; and the gradients of these.

        The random bits of a dropout are nine passes over a quarter of the entries, each twice as wide; comparing,
        scaling and multiplying are three more, and one in the gradient.
        """
        forward, backward = (4.0, 4.0) if self.norm else (2.0, 2.0)
        if self.drops if drops is None else drops:
            forward, backward = forward + 7.5, backward + 1
        return Work(moved=self.n * self.d * (forward + (backward if learns else 0)))

    def outputs(self, times: int) -> Work:
        """Returns so many products of hidden rows with the weights of the classes."""
        return Work(dense=times * self.n * self.d * self.c)

    def square(self, times: int) -> Work:
        """Returns so many products of hidden rows with ``d x d`` weights."""
        return Work(dense=times * self.n * self.d**2)

    def passes(self, hidden: float = 0, logits: float = 0, edges: float = 0) -> Work:
        """Returns passes over tables ``[N, d]``, ``[N, C]`` and ``[E, C]``."""
        logits_and_edges = (logits * self.n + edges * self.e) * self.classes
        return Work(moved=hidden * self.n * self.d + logits_and_edges)

    def weights(self, width: int = 0, copies: int = 2) -> Work:
        """Returns Adam on the first layer, and its gradient's table; for sparse products both are transposed."""
        passes = ADAM + 1 + (0 if self.dense else copies * TRANSPOSED)
        return Work(moved=passes * self.columns * (width or self.d))

    def student(self) -> Work:
        """Returns a student's forward and backward pass, and Adam."""
        return self.inputs(2) + self.hidden() + self.outputs(3) + self.weights()

    def soft(self) -> Work:
        """Returns the divergence from folded targets: softmaxes forward and again backward."""
        return Work(softmax=2 * self.n) + self.passes(logits=5)
