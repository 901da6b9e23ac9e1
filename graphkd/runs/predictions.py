"""A student's answers for every node of a graph, as a data frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

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

    Of several labels there are ``label_NAME`` and ``p_NAME`` of each, of numbers ``label_NAME`` and
    ``predicted_NAME``.

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

    view = apply_setting(graph, setting, seed)
    everything = torch.arange(graph.num_nodes, device=graph.y.device)
    logits = Inference(student, encoding.mix(graph.x, graph.adj, view.numbers), everything)()
    if view.setting.hides:
        inputs = encoding.mix(view.observed.x, view.observed.adj)
        logits[view.nodes] = Inference(student, inputs, everything[: view.nodes.numel()])()
    ids = range(graph.num_nodes) if node_ids is None else list(node_ids)
    split = pd.Series([""] * graph.num_nodes)
    for name, nodes in (("train", graph.train), ("val", graph.val), ("test", graph.test), ("hidden", view.hidden)):
        split[nodes.cpu().numpy()] = name
    frame = {"node": ids, "split": split}
    answers = _of_classes(graph, logits) if graph.task.one_class else _of_outputs(graph, logits)
    return pd.DataFrame({**frame, **answers})


def _of_classes(graph: Graph, logits: Tensor) -> dict[str, Any]:
    """Returns the columns of classes."""
    import pandas as pd

    names, y = class_array(graph.class_names, graph.num_classes), graph.y.cpu().numpy()
    p = torch.softmax(logits.double(), dim=1).cpu().numpy()
    label = pd.Series(names[y.clip(min=0)]).where(y >= 0)
    columns = {"label": label, "predicted": names[p.argmax(axis=1)]}
    return {**columns, **{f"p_{name}": p[:, c] for c, name in enumerate(names)}}


def _of_outputs(graph: Graph, logits: Tensor) -> dict[str, Any]:
    """Returns the columns of labels or targets: what is known and what is predicted of each."""
    names = graph.task.names(graph.class_names, graph.num_classes)
    y, outputs = graph.y.cpu().double().numpy(), logits.double().cpu()
    given = graph.task.mean(outputs).numpy()
    kind = "predicted" if graph.task.name == "regression" else "p"
    return {
        **{f"label_{name}": y[:, c] for c, name in enumerate(names)},
        **{f"{kind}_{name}": given[:, c] for c, name in enumerate(names)},
    }
