"""What a user can get wrong, in plain words: what is done, and the line that answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import networkx
import numpy as np
import scipy.sparse
import torch
from torch import nn

import graphkd
from graphkd import GraphDistiller, Training, from_networkx, from_scipy
from graphkd.balance import LogitAdjustment
from graphkd.datasets import Preprocessing
from graphkd.matching import Forward, Matching
from graphkd.methods import GLNN, InfGraND, Method
from graphkd.students import MLP
from graphkd.teachers import GAT, GCN, TeacherOutput
from tests.contract.inputs import CLASSES, NAN, NODES, SHORT, Net, failing, features, graph, masked, weighted
from tests.datasets.custom.graphs import SIDES, X, matrix, network

Call = Callable[[], Any]
LOGITS = torch.zeros(NODES, CLASSES)


def distilled(data: Any = None, **keys: Any) -> graphkd.runs.Run:
    """A run of two epochs."""
    return graphkd.distill(graph() if data is None else data, **{"training": SHORT, "device": "cpu", **keys})


def do(**keys: Any) -> Call:
    """``distill`` on the usual graph, later."""
    return lambda: distilled(**keys)


def on(**parts: Any) -> Call:
    """``distill`` on a graph with other parts, later."""
    return lambda: distilled(graph(**parts))


def told(*hops: Any) -> Call:
    """A teacher whose hops are these, matched."""
    return do(teacher=TeacherOutput(LOGITS, [*hops, LOGITS]), matching="forward")


def saying(answer: Callable[[Net, Any, Any], Any], **keys: Any) -> Call:
    """A fitted network that answers so."""
    return do(teacher=Net(answer), **keys)


def asked(method: str = "glnn", **call: Any) -> Call:
    """A prediction by a student of a graph with weights."""
    return lambda: GraphDistiller(method=method, training=SHORT).fit(weighted(1.0)).predict(**call)


ROWS, LOOP = np.zeros((2, 4)), torch.tensor([[0], [1]])

API: dict[str, tuple[Call, str]] = {
    "a name for a graph": (lambda: distilled("cora"), "data is a str, no torch_geometric Data: make one with"),
    "an empty list for a graph": (lambda: distilled([]), "data is a list, no torch_geometric Data"),
    "complex labels": (on(y=torch.zeros(NODES) + 0j), "whole class numbers, but is torch.complex64: convert it"),
    "unsigned labels": (on(y=torch.zeros(NODES).to(torch.uint64)), "but is torch.uint64: convert it with y.long"),
    "one hot labels": (on(y=torch.eye(NODES)), "exactly one 1 in every row"),
    "unsigned edges": (on(edge_index=LOOP.to(torch.uint64)), "but is torch.uint64: convert it to int64"),
    "edges as a matrix": (on(edge_index=torch.eye(NODES).to_sparse_csr()), "but is torch.float32: convert it"),
    "a word for class names": (on(class_names="abc"), "class_names is 'abc': give a list with one name per class"),
    "a number for class names": (on(class_names=3), "class_names is 3: give a list"),
    "no class names": (on(class_names=[]), r"class_names is \[\]: give a list"),
    "features beyond float32": (
        on(x=features().double() * 1e300),
        "data.x in float32 holds NaN or infinite values",
    ),
    "features that overflow": (
        on(x=3e38 * torch.ones(NODES, 4)),
        "nothing has been learned yet, so scale features",
    ),
    "weights that overflow": (
        lambda: distilled(weighted(3e38)),
        "edge_weight adds up to more than single precision",
    ),
    "one test node to hide": (
        lambda: distilled(masked(graph(), range(8), range(8, 16), [16]), setting="production"),
        "hides a fifth of the test nodes, but there is only 1: give more test nodes, or use setting=transductive",
    ),
    "hidden nodes of one class, ranked": (
        lambda: distilled(graph(classes=2, metric="roc_auc"), setting="cold_start"),
        "the hidden test nodes of setting=cold_start, 2 of 8, are of one class: give more test nodes",
    ),
    "nothing for a setting": (do(setting=None), "unknown setting 'None': choose one of transductive"),
    "two settings": (do(setting=["production"]), r"unknown setting '\['production'\]': did you mean 'production'"),
    "a word for a preprocessing": (
        do(preprocessing="binary"),
        "preprocessing is 'binary': give a graphkd.datasets",
    ),
    "a class for a preprocessing": (do(preprocessing=Preprocessing), "preprocessing is <class .*: give a graphkd"),
    "half an epoch": (lambda: Training(max_epochs=1.5), "max_epochs is 1.5: it must be a whole number, 1 or more"),
    "true patience": (lambda: Training(patience=True), "patience is True: it must be a whole number"),
    "a word for a rate": (lambda: Training(lr="fast"), "lr is fast: it must lie between 0 and 1e30"),
    "no share of labels": (lambda: GLNN(lam=None), r"lam is None: it must lie in \[0, 1\]"),
    "a word for a temperature": (lambda: GLNN(tau="hot"), "tau is hot: it must be a finite number greater than 0"),
    "half a hop": (lambda: InfGraND(hops=1.5), "method.hops is 1.5: it must be a whole number, 0 or more"),
    "a word for a weight": (lambda: Forward(weight="much"), "weight is much: it must lie between"),
    "a word for a matching's seed": (lambda: Forward(seed="a"), "matching.seed is a: it must be a whole number"),
    "a weight beyond measure": (lambda: Forward(weight=1e30), r"weight is 1e\+30: it must lie between 0 and"),
    "two distances": (lambda: Forward(distance=["mse"]), r"distance is '\['mse'\]': choose one of mse"),
    "the base of all strategies": (do(matching=Matching), "is neither a name nor a Matching: choose one of"),
    "hops without the logits": (
        do(teacher=TeacherOutput(LOGITS, [torch.ones(NODES, 4)]), matching="forward"),
        "the given teacher's last hop must be its logits.*: append the logits to the hops",
    ),
    "the base of all methods": (do(method=Method), "Method cannot be made without arguments .*: give an object"),
    "a word for a width": (
        do(teacher=partial(GCN, hidden_dim="wide")),
        "hidden_dim is wide: a layer needs a whole",
    ),
    "half a layer": (
        do(student=partial(MLP, num_layers=2.5)),
        "num_layers is 2.5: a network needs a whole number",
    ),
    "a dropout that is no number": (
        do(student=partial(MLP, dropout=NAN)),
        r"dropout is nan: it must lie in \[0, 1",
    ),
    "half a head": (do(teacher=partial(GAT, heads=2.5)), "teacher.heads is 2.5: it must be a whole number"),
    "a word for attention dropout": (
        do(teacher=partial(GAT, attention_dropout="x")),
        "attention_dropout is x: it",
    ),
    "an unknown setting of a teacher": (
        do(teacher=partial(GCN, widht=8)),
        "the teacher cannot be built .*'widht'",
    ),
    "an unknown setting of a student": (
        do(student=partial(MLP, widht=8)),
        "the student cannot be built .*'widht'",
    ),
    "features fixed by position": (do(student=partial(MLP, 4)), "the student cannot be built .*multiple values"),
    "a factory that fails": (do(teacher=failing), r"the teacher cannot be built and called \(division by zero\)"),
    "a class of PyTorch": (
        do(teacher=nn.Linear),
        "the teacher cannot be built and called .*: correct its settings",
    ),
    "a class for an output": (do(teacher=TeacherOutput), "the teacher cannot be built and called"),
    "a factory of other classes": (
        do(teacher=lambda num_features, num_classes: GCN(num_features, num_classes=7)),
        r"must return a TeacherOutput with logits \[N, 3\]",
    ),
    "a number for an influence": (
        do(method="infgrand", influence=3),
        "influence must be a name, none, or a function",
    ),
    "weights for an influence": (do(method="infgrand", influence=torch.ones(NODES)), "influence must be a name"),
    "weights of labels that nothing is trained on": (
        do(teacher=TeacherOutput(LOGITS), training=Training(max_epochs=2, class_weight="balanced")),
        "which neither a given teacher nor a student with method.lam=0 is trained on: leave it out",
    ),
    "a balance of several students": (
        do(method="adagmlp", balance=LogitAdjustment(post_hoc=True)),
        "which the ensemble of method=adagmlp does not end with: leave balance.post_hoc out",
    ),
    "a number for a balance": (do(balance=3), "3 is neither a name nor a Balance: choose one of graphkd's"),
    "an influence that fails": (do(method="infgrand", influence=failing), "influence=failing failed when called"),
    "an influence of NaN": (
        do(method="infgrand", influence=lambda x, adj: torch.full((adj.num_nodes,), NAN)),
        "weights between 0 and 1: scale them",
    ),
    "an influence over half a hop": (
        do(method="infgrand", influence=partial(graphkd.influence.infgrand, hops=1.5)),
        "influence has hops 1.5 and self_loops 1: both must be whole numbers",
    ),
    "a setting that no influence has": (
        do(method="infgrand", influence=partial(graphkd.influence.infgrand, hop=1)),
        "influence=infgrand failed when called with .*'hop': correct it",
    ),
    "complex logits": (do(teacher=LOGITS + 0j), "are .* in torch.complex64: correct the teacher or the data"),
    "sparse logits": (do(teacher=LOGITS.to_sparse_csr()), "logits must be finite numbers"),
    "logits beyond float32": (do(teacher=LOGITS.double() + 1e300), "in torch.float64: correct the teacher"),
    "logits that are words": (do(teacher=LOGITS.numpy().astype(str)), r"give an array of floats \[N, C\]"),
    "logits in numpy": (do(teacher=TeacherOutput(LOGITS.numpy())), "logits must be finite .* but are ndarray"),
    "hops that are nothing": (do(teacher=TeacherOutput(LOGITS, None)), "hops must be a list .* one is NoneType"),
    "hops of other rows": (told(torch.zeros(5, 4)), r"hops must be a list .*\[24, d\], but one is \[5, 4\]"),
    "a hop without columns": (told(torch.zeros(NODES)), r"one is \[24\] in torch.float32: correct them"),
    "a hop of NaN": (told(torch.full((NODES, 4), NAN)), "hops must be a list of finite numbers"),
    "a hop in numpy": (told(np.zeros((NODES, 4))), "one is ndarray: correct them, or give the logits alone"),
    "a network that returns two things": (saying(lambda net, x, e: (net.linear(x), e)), "but are tuple"),
    "a network that returns nothing": (saying(lambda net, x, e: None), "but are NoneType"),
    "a network that loses nodes": (
        saying(lambda net, x, e: net.linear(x)[1:], setting="production"),
        r"finite numbers \[23, 3\], .* but are \[22, 3\]",
    ),
    "a network that fails": (
        saying(failing),
        r"failed when .*: ZeroDivisionError: division by zero: it gets x \[N",
    ),
    "a network in float64": (do(teacher=Net(lambda net, x, e: net.linear(x)).double()), "it gets x .* in float32"),
    "a network without weights": (
        lambda: distilled(weighted(1.0), teacher=Net(lambda net, x, e: net.linear(x))),
        r"takes 3 positional arguments but 4 were given: it gets .* with weights also edge_weight \[E\]",
    ),
    "a number for a cache": (do(cache_dir=3), "cache_dir is 3: give a path"),
    "no text for a cache": (do(cache_dir=""), "cache_dir is '': give a path"),
    "a file for a cache": (
        do(cache_dir="/dev/null"),
        "/dev/null is no folder that can be written to: choose another c",
    ),
    "a number for a run folder": (lambda: distilled().save(3), "the run folder is 3: give a path"),
    "a file for a run folder": (lambda: distilled().save("/dev/null"), "/dev/null cannot be made"),
    "a number for a bundle": (lambda: graphkd.load_bundle(3), "the bundle is 3: give a path"),
    "a number for a data set": (lambda: graphkd.load_dataset(3), "unknown dataset '3': choose one of"),
    "no folder of data": (lambda: graphkd.load_dataset("cora", data_dir=None), "data_dir is None: give a path"),
    "a number for a folder": (lambda: graphkd.load_dataset("custom", path=3), "dataset.path is 3: give a path"),
    "directions in a word": (
        lambda: graphkd.load_dataset("digits", directed="no"),
        "directed is 'no': choose True",
    ),
    "directions of a network in a word": (lambda: from_networkx(network(), X, directed="no"), "directed is 'no'"),
    "a class for a network": (lambda: from_networkx(networkx.Graph, X), "needs a networkx graph, but got a type"),
    "a complex matrix": (lambda: from_scipy(matrix() * 1j, X), "adjacency holds complex128, not numbers"),
    "weights in a word": (
        lambda: from_scipy(matrix(), X, weighted="yes"),
        "weighted is 'yes': choose True or False",
    ),
    "a number for ids": (lambda: from_scipy(matrix(), X, ids=3), "ids is 3: give a list with one id per node"),
    "complex sparse features": (
        lambda: from_scipy(matrix(), scipy.sparse.csr_array(X * 1j)),
        "features must hold real numbers, but holds complex64",
    ),
    "no features of a graph": (
        lambda: from_scipy(matrix(), None, SIDES),
        "features is no table of numbers, but a NoneType",
    ),
    "words to predict on": (asked(x=np.array([["a"] * 4])), "x is no table of numbers, but a ndarray: give"),
    "nothing to predict on": (asked(x=None), "x is no table of numbers, but a NoneType"),
    "ragged rows to predict on": (asked(x=[[1, 2, 3, 4], [1]]), "x is no table of numbers, but a list"),
    "complex rows to predict on": (asked(x=ROWS * 1j), "x must hold real numbers, but holds complex128"),
    "a word for edges": (asked("infgrand", x=ROWS, edge_index="all", edge_weight=[1.0]), "but is str: convert it"),
    "a weight too many": (
        asked("infgrand", x=ROWS, edge_index=LOOP, edge_weight=torch.ones(2)),
        r"edge_weight must hold one weight per edge \[1\]",
    ),
    "a negative weight to predict with": (
        asked("infgrand", x=ROWS, edge_index=LOOP, edge_weight=-torch.ones(1)),
        "edge_weight must be finite and not negative",
    ),
}
