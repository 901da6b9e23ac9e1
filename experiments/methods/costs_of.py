"""What a step of each method does, counted by reading its code: operations of four kinds, in sizes.

A step is forward, backward and Adam on all rows, of the cells' students: one hidden layer, two for TINED. Counted
are tables of nodes, edges or weights; what is left, a fixed number of calls, is measured on a tiny graph instead.
"""

from __future__ import annotations

from collections.abc import Callable
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


def mlp(s: Sizes) -> Work:
    rows = s.labelled / s.n
    return (s.inputs(2) + s.hidden() + s.outputs(3) + Work(softmax=2 * s.n)) * rows + s.weights()


def glnn(s: Sizes) -> Work:
    return s.student() + s.soft()


def ff_g2m(s: Sizes) -> Work:
    # Of an edge: 4 gathers, 2 differences, absolute values, quotients, 4 of the divergence, 8 backward.
    return glnn(s) + s.passes(edges=22) + Work(softmax=3 * s.e)


def adagmlp(s: Sizes) -> Work:
    # Softmaxes of a member: forward and backward, in float64 for the node weights, and in the mixture; and of the
    # teacher for either divergence.
    member = s.student() + s.passes(hidden=1, logits=16) + Work(softmax=4 * s.n)
    members: int = s.method.members
    return member * members + Work(softmax=2 * s.n)


def simmlp(s: Sizes) -> Work:
    if s.phase == 1:
        return s.inputs(1) + s.hidden(learns=False, drops=False) + s.outputs(2)
    hops = Work(sparse=2 * s.method.hops * (s.e + s.n) * s.d)
    masks = Work(moved=5 * s.entries + 10 * (s.e + s.n))
    predictor = s.square(6) + s.passes(hidden=4 + 2 + 11)  # biases, ReLU, cosines
    total = s.inputs(2) + s.hidden() + s.outputs(1) + hops + masks + predictor + s.weights()
    if not s.method.reconstruction:
        return total
    decoder = Work(dense=3 * s.columns * s.d**2, moved=6 * s.columns * s.d) + s.weights(copies=0)
    return total + s.inputs(2) + s.square(3) + s.passes(hidden=8) + decoder


def nosmog(s: Sizes) -> Work:
    return glnn(s) + added_by_nosmog(s)


def added_by_nosmog(s: Sizes) -> Work:
    """Returns head and Gram products in float64, which count twice; and passes on dense perturbed inputs."""
    steps, table = s.method.steps, s.n * s.columns
    head = s.square(3 + 2 * 5) + s.hidden() + s.passes(hidden=2 * 4) if s.method.gram else Work()
    if not s.method.adversarial:
        return head
    ascent = Work(dense=(2 * steps + 2) * table * s.d, moved=(4 * steps + 3) * table)
    passes = (s.hidden() + s.soft()) * (steps + 1) + s.outputs(2 * steps + 3)
    return head + ascent + passes


def tined(s: Sizes) -> Work:
    share, energies = s.method.edges, Work()
    for tables, width in ((4, s.d), (3, s.c)):  # around two hidden layers, and around one of C units and logits
        products = 2 * share * s.e * (width + LINE)  # of rows, and of their squares
        energies += Work(sparse=tables * products, moved=tables * 23 * s.n * width)
    energies += Work(moved=3 * share * s.e)
    deeper = s.square(3) + s.hidden() + s.passes(hidden=2) + Work(dense=3 * s.n * s.c**2, moved=ADAM * s.d**2)
    return glnn(s) + deeper + energies


def tined_plus(s: Sizes) -> Work:
    deeper = s.square(2) + s.hidden()
    return tined(s) + added_by_nosmog(s) + deeper * (s.method.steps + 1 if s.method.adversarial else 0)


def g2mlp(s: Sizes) -> Work:
    products = Work(sparse=2 * (s.e + s.n) * (2 * s.d + max(2 * s.classes, LINE)))
    mapped = s.square(3) + s.passes(hidden=4) if s.method.transform == "student" else Work()
    return glnn(s) + products + mapped + s.passes(hidden=33, logits=33)


def progmlp(s: Sizes) -> Work:
    k = s.phase
    frozen = s.inputs(1) + s.hidden(learns=False, drops=False) + s.outputs(1) + s.square(1)
    own = glnn(s) + (s.square(2) if k else Work()) + s.passes(logits=6) * (k + 1) + Work(softmax=(k + 1) * s.n)
    mixed = Work(dense=(k + 2) * s.labelled * s.columns * s.d, moved=6 * s.labelled * s.columns)
    return own + frozen * k + mixed


def linkdist(s: Sizes) -> Work:
    head = s.outputs(3) + (s.passes(hidden=8.5 + 1) if s.drops else Work())
    distance = Work(sparse=2 * s.e * max(s.classes + 2, LINE)) + s.passes(logits=20)
    return s.student() + head + distance + Work(softmax=2 * s.n)


def colinkdist(s: Sizes) -> Work:
    products = Work(sparse=s.e * (2 * max(2 * s.classes + 2, LINE) + s.c))
    return linkdist(s) + products + s.passes(logits=50) + Work(softmax=10 * s.n)


def cohop(s: Sizes) -> Work:
    agreement = Work(sparse=2 * s.e * s.c, softmax=2 * s.n) if s.method.consistency else Work()
    return s.inputs(2, s.c) + s.weights(s.classes) + s.passes(logits=10) + agreement + Work(softmax=2 * s.n)


def vqgraph(s: Sizes) -> Work:
    tokens = Work(dense=3 * s.n * s.codes * s.d, moved=13 * s.n * s.codes)
    return glnn(s) + s.square(3) + s.passes(hidden=12) + tokens


FORMULAS: dict[str, tuple[str, Callable[[Sizes], Work]]] = {
    "mlp": ("GLNN's on the labelled rows: L / N", mlp),
    "glnn": ("2 nnz(X) d + 3 N d C", glnn),
    "infgrand": ("as GLNN, + 2 hops \\|A°\\| d", glnn),
    "krd": ("as GLNN", glnn),
    "ff_g2m": ("GLNN + 3 E softmaxes + 22 E C moved", ff_g2m),
    "adagmlp": ("K (GLNN + 2 N softmaxes)", adagmlp),
    "simmlp": ("2 hops \\|A°\\| d + (9 N + 3 D) d² + 4 nnz(X) d", simmlp),
    "hgmd": ("as GLNN", glnn),
    "nosmog": ("GLNN + (2 steps + 2) N D d + 13 N d²", nosmog),
    "tined": ("GLNN + 3 N d² + 8 E d + 92 N d moved", tined),
    "tined_plus": ("TINED + NOSMOG", tined_plus),
    "g2mlp": ("GLNN + 4 \\|A°\\| (d + C) + 33 N d moved", g2mlp),
    "progmlp": ("GLNN + k (nnz(X) d + N d² + N d C) + (k + 2) L D d", progmlp),
    "linkdist": ("GLNN + 3 N d C + 2 E (C + 2)", linkdist),
    "colinkdist": ("LinkDist + 5 E C + 10 N softmaxes", colinkdist),
    "cohop": ("2 nnz(X) C + 2 E C", cohop),
    "vqgraph": ("GLNN + 3 N M d + 13 N M moved", vqgraph),
}
"""Of a step, by method: its largest products in words, and all of its counts."""
