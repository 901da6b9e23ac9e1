"""What a user can get wrong on the command line: what is there, the arguments, and the line that answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.datasets.custom.graphs import arrays

TEACHERS = "aa, appnp, cn, gat, gcn, gcnii, graph_transformer, heuristics, pyg, ra, sage, sgc, vqgraph"


def own_graph(folder: Path, **parts: Any) -> None:
    """``own``, a graph of a user's own."""
    (folder / "own").mkdir()
    np.savez(folder / "own" / "graph.npz", **arrays(**parts))


def one_test_node(folder: Path) -> None:
    """``own`` with one node to test on."""
    own_graph(folder, test_mask=np.arange(8) == 4)


def damaged_photo(folder: Path) -> None:
    """A raw file that is none."""
    raw = folder / "own" / "Amazon" / "Photo" / "raw"
    raw.mkdir(parents=True)
    (raw / "amazon_electronics_photo.npz").write_text("<html>")


def a_file(folder: Path) -> None:
    """``own`` is a file."""
    (folder / "own").write_text("x")


OWN = ["dataset=custom", "dataset.path=own"]

COMMANDS: dict[str, tuple[Callable[[Path], Any] | None, list[str], str]] = {
    "a seed twice": (None, ["seeds=[0,0]"], r"seeds is [0, 0]: give a count such as 5"),
    "no seed": (None, ["seeds=[]"], "seeds is []: give a count"),
    "true seeds": (None, ["seeds=true"], "seeds is True: give a count"),
    "more seeds than can be": (None, ["seeds=99999999999"], "seeds is 99999999999: give a count"),
    "a seed beyond 32 bits": (None, ["seeds=[4294967296]"], "seeds is [4294967296]: give a count"),
    "two data sets in a list": (
        None,
        ["dataset=[cora,digits]"],
        "dataset is [cora,digits]: choose one of blogcatalog, chameleon, citeseer",
    ),
    "a number for a teacher": (None, ["teacher=3"], f"teacher is 3: choose one of {TEACHERS}"),
    "several teachers in a list": (
        None,
        ["teacher=[gcn,sage]"],
        f"{TEACHERS}; the mean of several is transform=ensemble transform.teachers=[gcn,sage]",
    ),
    "an ensemble without the run's own teacher": (
        None,
        ["transform=ensemble", "transform.teachers=[sage,gat]"],
        "without teacher=gcn, which is always a member: add it, or choose teacher=sage",
    ),
    "an ensemble of one": (None, ["transform=ensemble", "transform.members=1"], "transform.members is 1"),
    "views of a teacher without a hidden layer": (
        None,
        ["transform=angular_views", "teacher.num_layers=1"],
        "give a teacher of two layers or more",
    ),
    "propagated labels for a method without a teacher": (
        None,
        ["method=mlp", "transform=label_propagation"],
        "method=mlp reads no teacher, so transform=label_propagation would have no effect",
    ),
    "a number in a sweep": (None, ["-m", "method=glnn,3"], "method is glnn,3: choose one of adagmlp"),
    "a teacher without a codebook": (None, ["method=vqgraph"], "only teacher=vqgraph computes, not teacher=gcn"),
    "sampled neighbours of a whole graph": (
        None,
        ["teacher=appnp", "training.teacher_batches=neighbours"],
        "teacher=appnp cannot: use training.teacher_batches=full",
    ),
    "a network of PyG that there is not": (
        None,
        ["teacher=pyg", "teacher.model=GINN"],
        "unknown teacher.model 'GINN': did you mean 'GIN'? choose one of EdgeCNN, GAT, GCN, GIN",
    ),
    "a width where there is none": (None, ["teacher=sgc", "teacher.hidden_dim=8"], "teacher.hidden_dim"),
    "copied layers of GCNII": (None, ["method=tined", "teacher=gcnii"], "choose teacher=sage, gcn or gat"),
    "a codebook for one layer": (None, ["teacher=vqgraph", "teacher.num_layers=1"], "set teacher.num_layers to 2"),
    "a codebook in parts": (
        None,
        ["teacher=vqgraph", "training.teacher_batches=partitions"],
        "teacher=vqgraph cannot: use training.teacher_batches=full",
    ),
    "a sequence of no students": (None, ["method=progmlp", "method.members=0"], "method.members is 0"),
    "a sequence without hidden layers": (
        None,
        ["method=progmlp", "student.num_layers=1"],
        "set student.num_layers to 2 or more",
    ),
    "a temperature per node over edges": (
        None,
        ["method=krd", "calibration=dtkd"],
        "calibration=dtkd has a temperature per node, which method=krd, whose targets mix nodes, cannot fold",
    ),
    "a learned temperature per node over edges": (
        None,
        ["method=infgrand", "calibration=ctkd", "calibration.per_sample=true"],
        "which method=infgrand, whose targets mix nodes, cannot fold: choose another calibration, such as fixed",
    ),
    "a temperature without a teacher": (
        None,
        ["method=linkdist", "calibration=dts"],
        "method=linkdist reads no teacher, so calibration=dts would have no effect: leave calibration out",
    ),
    "a temperature of 0": (None, ["calibration=fixed", "calibration.tau=0"], "calibration.tau is 0.0: it must be"),
    "no temperature": (
        None,
        ["calibration=fixed", "calibration.tau=null"],
        "calibration.tau is null: give a value",
    ),
    "a variant that is none": (None, ["calibration=dts", "calibration.variant=new"], "choose paper or monotone"),
    "an earlier name of a calibration": (
        None,
        ["calibration=curriculum"],
        "unknown calibration 'curriculum': choose one of",
    ),
    "a temperature of another rule": (None, ["calibration=cosine", "calibration.tau=2"], "calibration.tau"),
    "no name for an experiment": (None, ["experiment="], "experiment is empty: choose one of glnn/"),
    "truth for a setting": (None, ["setting=true"], "setting is true: choose one of cold_start"),
    "no key": (None, ["=3"], "=3 sets no key: write KEY=VALUE"),
    "a sweep that is not asked for": (
        None,
        ["teacher=gcn,sage"],
        "teacher=gcn,sage has several values: put -m before it",
    ),
    "information on nothing": (None, ["--info", "teacher"], "--info teacher: choose one of all, config"),
    "a folder of configs that is not there": (None, ["--config-dir=nowhere"], "nowhere' not found"),
    "a balance of labels that are not learned from": (
        None,
        ["balance=effective_number"],
        "balance=effective_number changes the label loss, which method.lam=0 leaves out: set method.lam above 0",
    ),
    "a balance of a teacher that is not learned from": (
        None,
        ["balance=bkd", "method.lam=1"],
        "balance=bkd changes the soft loss, which method.lam=1 leaves out: set method.lam below 1",
    ),
    "a balance of a teacher that is not there": (
        None,
        ["balance=ltkd", "method=mlp"],
        "method=mlp reads no teacher, but balance=ltkd does: choose another balance",
    ),
    "a prior of a teacher that is not there": (
        None,
        ["balance=logit_adjustment", "balance.prior=teacher", "method=mlp"],
        "method=mlp reads no teacher, but balance=logit_adjustment does: choose balance.prior=labels",
    ),
    "a shift of several students": (
        None,
        ["balance=logit_adjustment", "balance.post_hoc=true", "student=ensemble"],
        "student=ensemble does not end with: leave balance.post_hoc out, or choose",
    ),
    "classes weighted twice": (
        None,
        ["balance=effective_number", "method.lam=0.5", "training.class_weight=balanced"],
        "both weight the label loss: leave one of them out",
    ),
    "another class weight": (None, ["training.class_weight=auto"], "is 'auto': choose one of none, balanced"),
    "no minority": (
        None,
        ["dataset.imbalance=1.5"],
        "dataset.imbalance is 1.5: it must be a number",
    ),
    "a tail that leaves a class nothing": (
        None,
        ["dataset.long_tail=100"],
        "dataset.long_tail=100 leaves class 8 none of its 20 training nodes: lower it",
    ),
    "nothing for a number": (
        None,
        ["student.dropout=null"],
        "student.dropout is null: give a value, or leave it out",
    ),
    "nothing for a device": (None, ["device=null"], "device is null: give a value, or leave it out"),
    "a rate that is no number": (None, ["training.lr=nan"], "training.lr is nan: it must lie between 0 and 1e30"),
    "a metric that there is not": (
        None,
        ["training.metric=f1"],
        "training.metric is 'f1': choose one of accuracy, macro_f1, balanced_accuracy, roc_auc",
    ),
    "a rank of ten classes": (
        None,
        ["training.metric=roc_auc"],
        "roc_auc needs two classes, but logits are [500, 10]: choose accuracy",
    ),
    "a word for true": (None, ["deploy.calibrate=maybe"], "deploy.calibrate: Value 'maybe' is not a valid bool"),
    "another key of deploy": (
        None,
        ["deploy.calibrated=true"],
        "unknown key 'deploy.calibrated': did you mean 'deploy.calibrate'",
    ),
    "an added key of deploy": (None, ["+deploy.scale=2"], "unknown key 'deploy.scale'"),
    "a temperature for several last layers": (
        None,
        ["method=adagmlp", "deploy.calibrate=true", "training.max_epochs=1"],
        "student=ensemble of method=adagmlp has several last layers: leave it out, or choose",
    ),
    "a key of a setting": (
        None,
        ["setting.share=0.5"],
        "unknown key 'setting.share': did you mean 'setting.name'",
    ),
    "an added key of a setting": (None, ["+setting.share=0.5"], "unknown key 'setting.share'"),
    "an added key of a data set": (None, ["+dataset.metric=f1"], "unknown key 'dataset.metric'"),
    "another name in a setting": (None, ["setting.name=prod"], "unknown setting 'prod': choose one of"),
    "another name in a data set": (None, ["dataset.name=nope"], "unknown dataset 'nope': choose one of"),
    "heads of a network without": (None, ["teacher.heads=2"], "'teacher.heads' is no key of the teacher that was"),
    "heads that cannot share": (
        None,
        ["teacher=gat", "teacher.heads=3"],
        "128, which 3 heads cannot share evenly",
    ),
    "all attention dropped": (None, ["teacher=gat", "teacher.attention_dropout=1"], "it must lie in [0, 1)"),
    "a split of other data": (
        own_graph,
        [*OWN, "dataset.split=cpf"],
        "split=cpf needs 50 labelled nodes of every class, but class 0 has 2: use another split",
    ),
    "a split that photo has not": (damaged_photo, ["dataset=photo", "dataset.split=public"], "photo has no split"),
    "a damaged download": (damaged_photo, ["dataset=photo", "data_dir=own", "download=never"], "npz is damaged"),
    "a file for the data": (a_file, ["dataset=cora", "data_dir=own", "download=never"], "own, which is no folder"),
    "a file for an own graph": (a_file, OWN, "dataset.path=own is no folder: give the one with nodes and edges"),
    "no path to an own graph": (None, ["dataset=custom", "dataset.path="], "dataset.path is '': give a path"),
    "an own graph for built-in data": (own_graph, ["dataset.path=own"], "dataset.path is for dataset=custom"),
    "nobody to hide": (
        one_test_node,
        [*OWN, "setting=production"],
        "hides a fifth of the test nodes, but there is",
    ),
    "a cache that is a file": (
        a_file,
        ["cache_dir=own"],
        "no folder that can be written to: choose another cache_dir",
    ),
    "a cache without a name": (None, ["cache_dir="], "cache_dir is '': give a path"),
    "a run among other files": (own_graph, ["output_dir=own"], "own exists and is not a run: choose another"),
}
