"""What cannot work with a method ends in one line, before anything is trained for long."""

import functools
from typing import Any

import pytest
import torch

import graphkd
from graphkd import GraphKDError, methods, students, teachers
from tests.conftest import make_data

SHORT = graphkd.Training(max_epochs=2, patience=2)
LOGITS = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
ONE_LAYER = functools.partial(students.MLP, num_layers=1)
NARROW = functools.partial(students.MLP, hidden_dim=4)
SHALLOW = functools.partial(teachers.GCN, num_layers=1)

SETTINGS: dict[str, tuple[type, dict[str, Any], str]] = {
    "an ensemble of none": (methods.AdaGMLP, {"members": 0}, "method.members is 0"),
    "a sequence of none": (methods.ProgMLP, {"members": 0}, "method.members is 0"),
    "a confidence above 1": (methods.ProgMLP, {"threshold": 1.5}, "method.threshold is 1.5"),
    "a range wider than half": (methods.ProgMLP, {"mixing": 0.7}, "method.mixing is 0.7"),
    "a share above 1": (methods.KRD, {"momentum": 1.5}, "method.momentum is 1.5"),
    "no bins": (methods.KRD, {"bins": 0}, "method.bins is 0"),
    "another mode": (methods.HGMD, {"mode": "mean"}, "method.mode is 'mean': choose mixup or weight"),
    "no hardness": (methods.HGMD, {"alpha": 0.0}, "method.alpha is 0.0"),
    "no perturbation": (methods.NOSMOG, {"epsilon": 0.0}, "method.epsilon is 0.0"),
    "steps below 0": (methods.NOSMOG, {"steps": -1}, "method.steps is -1"),
    "another ratio": (methods.TINED, {"ratio": "exp"}, "method.ratio is 'exp': choose log or sqrt"),
    "another start": (methods.TINED, {"init": "zero"}, "method.init is 'zero': choose identity or random"),
    "no edges": (methods.TINEDPlus, {"edges": 0.0}, "method.edges is 0.0"),
    "another curvature": (methods.G2MLP, {"curvature": "gauss"}, "method.curvature is 'gauss'"),
    "a map of what is left out": (
        methods.G2MLP,
        {"parts": "logits", "transform": "student"},
        "which parts=logits",
    ),
    "a share of links above 1": (methods.LinkDist, {"alpha": 2.0}, "method.alpha is 2.0"),
    "no rounds": (methods.CoHOp, {"rounds": 0}, "method.rounds is 0"),
    "a decay above 1": (methods.CoHOp, {"decay": 1.5}, "method.decay is 1.5"),
    "tokens at no temperature": (methods.VQGraph, {"tau_tok": 0.0}, "method.tau_tok is 0.0"),
    "no hops": (methods.SimMLP, {"hops": 0}, "method.hops is 0"),
    "a text for a number": (methods.FFG2M, {"tau": "warm"}, "method.tau is warm"),
}

RUNS: dict[str, tuple[dict[str, Any], str]] = {
    "noise for given logits": (
        {"method": "krd", "teacher": LOGITS},
        "give the network itself",
    ),
    "layers of given logits": ({"method": "tined", "teacher": LOGITS}, "choose teacher=sage, gcn or gat"),
    "layers of another width": ({"method": "tined", "student": NARROW}, "give both the same hidden_dim"),
    "a hidden layer of given logits": ({"method": "nosmog", "teacher": LOGITS}, "or method.gram=0"),
    "a hidden layer of one": ({"method": "nosmog", "student": ONE_LAYER}, "set student.num_layers to 2 or more"),
    "moments of a teacher of one layer": ({"method": "g2mlp", "teacher": SHALLOW}, "set method.parts=logits"),
    "moments of another width": ({"method": "g2mlp", "student": NARROW}, "give both the same hidden_dim"),
    "a codebook of a GCN": ({"method": "vqgraph", "teacher": "gcn"}, "use teacher=vqgraph"),
    "a codebook of given logits": ({"method": "vqgraph", "teacher": LOGITS}, "use teacher=vqgraph"),
    "a probe of one layer": ({"method": "simmlp", "student": ONE_LAYER}, "use student.num_layers=2 or more"),
    "a number for calibrate": ({"calibrate": 1}, "deploy.calibrate is 1: choose true or false"),
    "an ensemble of ensembles": ({"method": "adagmlp", "student": "ensemble"}, "use student=mlp"),
    "hops for a method without any": ({"method": "glnn", "influence": "degree"}, "weights no nodes"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_a_setting_that_cannot_be_is_one_line(case: str) -> None:
    method, keys, line = SETTINGS[case]
    with pytest.raises(GraphKDError) as caught:
        method(**keys)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("case", RUNS)
def test_a_combination_that_cannot_work_is_one_line(case: str) -> None:
    keys, line = RUNS[case]
    with pytest.raises(GraphKDError) as caught:
        graphkd.distill(make_data(), **{"training": SHORT, "device": "cpu", "baseline": False, **keys})
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
