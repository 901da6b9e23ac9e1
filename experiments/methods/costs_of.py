"""What a step of each method does, counted by reading its code: operations of four kinds, in sizes.

A step is forward, backward and Adam on all rows, of the cells' students: one hidden layer, two for TINED. Counted
are tables of nodes, edges or weights; what is left, a fixed number of calls, is measured on a tiny graph instead.
"""

from __future__ import annotations

from collections.abc import Callable

from work import ADAM, LINE, Sizes, Work  # experiments/methods/work.py


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
    # Of an energy: 11 passes forward; backward 2 of a product, 6 of two squares, 2 of the norm, 3 that add up.
    for tables, width in ((4, s.d), (3, s.c)):  # around two hidden layers, and around one of C units and logits
        products = 2 * share * s.e * (width + LINE)  # of rows, and of their squares
        energies += Work(sparse=tables * products, moved=tables * 24 * s.n * width)
    energies += Work(moved=3 * share * s.e)
    deeper = s.square(3) + s.hidden() + s.passes(hidden=2) + Work(dense=3 * s.n * s.c**2, moved=ADAM * s.d**2)
    return glnn(s) + deeper + energies


def tined_plus(s: Sizes) -> Work:
    deeper = s.square(2) + s.hidden()
    return tined(s) + added_by_nosmog(s) + deeper * (s.method.steps + 1 if s.method.adversarial else 0)


def g2mlp(s: Sizes) -> Work:
    products = Work(sparse=2 * (s.e + s.n) * (2 * s.d + max(2 * s.classes, LINE)))
    mapped = s.square(3) + s.passes(hidden=4) if s.method.transform == "student" else Work()
    # 17 forward: 11 of the moments, 6 of the distance. 23 backward: 12 of four squares, 2 each of differences,
    # root, clamp and halves, 3 that add up gradients.
    return glnn(s) + products + mapped + s.passes(hidden=40, logits=40)


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
    "tined": ("GLNN + 3 N d² + 8 E d + 96 N d moved", tined),
    "tined_plus": ("TINED + NOSMOG", tined_plus),
    "g2mlp": ("GLNN + 4 \\|A°\\| (d + C) + 40 N d moved", g2mlp),
    "progmlp": ("GLNN + k (nnz(X) d + N d² + N d C) + (k + 2) L D d", progmlp),
    "linkdist": ("GLNN + 3 N d C + 2 E (C + 2)", linkdist),
    "colinkdist": ("LinkDist + 5 E C + 10 N softmaxes", colinkdist),
    "cohop": ("2 nnz(X) C + 2 E C", cohop),
    "vqgraph": ("GLNN + 3 N M d + 13 N M moved", vqgraph),
}
"""Of a step, by method: its largest products in words, and all of its counts."""
