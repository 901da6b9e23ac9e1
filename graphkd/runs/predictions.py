"""A student's answers for every node of a graph, as a data frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from graphkd.classes import class_array
from graphkd.datasets import Graph
from graphkd.datasets.setting import apply_setting
from graphkd.encoders import Encoding
from graphkd.training.scoring.inference import Inference

if TYPE_CHECKING:
    import pandas as pd


def predictions_of(
    student: nn.Module, encoding: Encoding, graph: Graph, setting: str, seed: int, node_ids: Any = None
) -> pd.DataFrame:
    """Returns one row per node: ``node``, ``split``, ``label``, ``predicted`` and ``p_CLASS`` for every class.

    ``split`` is ``train``, ``val``, ``test``, ``hidden`` (a test node that the setting hid from training) or
    empty. An unknown label is missing. Hidden nodes are answered on the full graph, others on the observed one.

    Args:
        student: the network, in evaluation mode.
        encoding: of its inputs.
        graph: the run's data, on the student's device.
        setting: name of the run's setting.
        seed: of the run.
        node_ids: ``[N]`` ids of the data, by default row numbers.
    """
    import pandas as pd

    view, names = apply_setting(graph, setting, seed), class_array(graph.class_names, graph.num_classes)
    everything = torch.arange(graph.num_nodes, device=graph.y.device)
    logits = Inference(student, encoding.mix(graph.x, graph.adj, view.numbers), everything)()
    if view.setting.hides:
        inputs = encoding.mix(view.observed.x, view.observed.adj)
        logits[view.nodes] = Inference(student, inputs, everything[: view.nodes.numel()])()
    p = torch.softmax(logits.double(), dim=1).cpu().numpy()
    y = graph.y.cpu().numpy()
    split = pd.Series([""] * graph.num_nodes)
    for name, nodes in (("train", graph.train), ("val", graph.val), ("test", graph.test), ("hidden", view.hidden)):
        split[nodes.cpu().numpy()] = name
    label = pd.Series(names[y.clip(min=0)]).where(y >= 0)
    ids = range(graph.num_nodes) if node_ids is None else list(node_ids)
    frame = {"node": ids, "split": split, "label": label, "predicted": names[p.argmax(axis=1)]}
    return pd.DataFrame({**frame, **{f"p_{name}": p[:, c] for c, name in enumerate(names)}})
