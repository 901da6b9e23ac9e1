"""Networks of PyTorch Geometric, by their names."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from graphkd.errors import GraphKDError
from graphkd.norm import check_sizes
from graphkd.sparse import Adjacency, Block, Features
from graphkd.teachers.base import Teacher
from graphkd.teachers.output import TeacherOutput

STORES = ("cached",)
"""Options by which a network keeps the edges of the first graph that it sees, and so would misread another one."""


class PyG(Teacher):
    """A network of ``torch_geometric.nn`` that is called ``(x, edge_index)``.

    ``model`` is the name of a stack of convolutions (GCN, GraphSAGE, GIN, GAT, PNA, EdgeCNN), or of another class
    there, such as ``TAGConv``, that needs nothing else when it is called. A stack receives all settings, another
    class those sizes that it has an argument for. ``options`` are further arguments, as in
    ``teacher.options={aggr: max}``; a list of whole numbers, such as ``deg`` of PNA, becomes a tensor.

    Hidden hop ``k`` of a stack is what its convolution ``k`` returns, before norm and activation; other classes
    have no hidden hops. Weights of edges are read where the network takes ``edge_weight``.

    PyG's networks take dense rows: sparse ones are made dense in every step, ``4 N D`` bytes. A step needs the
    whole graph, and repeats bit for bit where PyG's own operations do, as on a CPU.

    Source: Fey and Lenssen, Fast Graph Representation Learning with PyTorch Geometric, ICLR 2019 workshop

    Args:
        num_features: ``D``.
        hidden_dim: ``hidden_channels`` of the network.
        num_classes: ``C``, its ``out_channels``.
        num_layers: of the network.
        dropout: of the network.
        model: class in ``torch_geometric.nn``.
        options: further arguments: numbers, words, true or false, and lists of these.

    Raises:
        GraphKDError: there is no such class, it cannot be built from these arguments, or it needs more than ``x``
            and ``edge_index``.

    >>> from graphkd.testing.graphs import small_graph
    >>> graph = small_graph()
    >>> teacher = PyG(graph.num_features, 16, graph.num_classes, model="GIN", options={"train_eps": True})
    >>> [hop.shape for hop in teacher(graph.x, graph.adj).hops]
    [torch.Size([60, 16]), torch.Size([60, 3])]
    """

    name = "pyg"
    full_batch_only = True
    static_step = False
    answers_blocks = False

    def __init__(
        self,
        num_features: int,
        hidden_dim: int = 128,
        num_classes: int = 2,
        num_layers: int = 2,
        dropout: float = 0.5,
        model: str = "GIN",
        options: dict[str, Any] | None = None,
    ) -> None:
        check_sizes(num_layers, hidden_dim, dropout)
        super().__init__([], hidden_dim, dropout, "none", False, 0.0, "after_activation")
        sizes = {
            "in_channels": num_features,
            "hidden_channels": hidden_dim,
            "out_channels": num_classes,
            "num_layers": num_layers,
            "dropout": dropout,
        }
        self.model, self.num_classes = model, num_classes
        self.network = _built(_class_of(model), model, sizes, _checked(options))

    def forward(
        self,
        x: Features,
        adj: Adjacency | Tensor | Sequence[Block],
        edge_weight: Tensor | None = None,
        checkpointed: bool = False,
    ) -> TeacherOutput:
        """Computes the output for all nodes.

        Args:
            x: ``[N, D]``; sparse rows are made dense.
            adj: the graph, or its ``edge_index [2, E]``; no blocks.
            edge_weight: ``[E]``, only with an ``edge_index``.
            checkpointed: not supported.

        Returns:
            ``logits [N, C]``, and hops of a stack of convolutions.

        Raises:
            GraphKDError: blocks are given, the network fails on the graph, or it returns no logits.
        """
        if not isinstance(adj, Adjacency | Tensor) or checkpointed:
            raise GraphKDError(
                f"teacher=pyg calls {self.model} with the whole graph: use training.teacher_batches=full"
            )
        graph = Adjacency(adj, x.shape[0], edge_weight) if isinstance(adj, Tensor) else adj
        edges = {"edge_index": torch.stack([graph.matrix.col, graph.matrix.row])}
        if graph.weighted and _reads_weights(self.network):
            edges["edge_weight"] = graph.matrix.value
        said: list[Any] = []
        convs: Any = self.network.convs if _is_stack(type(self.network)) else []
        hooks = [conv.register_forward_hook(lambda _, __, out: said.append(out)) for conv in convs]
        try:
            logits = self.network(x if isinstance(x, Tensor) else x.to_dense(), **edges)
        except (RuntimeError, TypeError, ValueError, AssertionError, IndexError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise GraphKDError(
                f"teacher.model={self.model} failed when called with (x, edge_index) ({reason}): correct "
                "teacher.options, or choose another model"
            ) from error
        finally:
            for hook in hooks:
                hook.remove()
        if not isinstance(logits, Tensor) or logits.shape != (x.shape[0], self.num_classes):
            found = list(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
            raise GraphKDError(
                f"teacher.model={self.model} returns {found}, not the logits {[x.shape[0], self.num_classes]}: "
                f"choose one of {', '.join(stacks())}"
            )
        return TeacherOutput(logits, _hops(said, logits))


def stacks() -> list[str]:
    """Returns the names of PyG's stacks of convolutions, which have hidden hops.

    >>> "GIN" in stacks()
    True
    """
    from torch_geometric.nn import models

    return sorted(name for name in models.__all__ if _is_stack(getattr(models, name)))


def _is_stack(kind: Any) -> bool:
    from torch_geometric.nn.models.basic_gnn import BasicGNN

    return isinstance(kind, type) and issubclass(kind, BasicGNN)


def _class_of(model: str) -> type[nn.Module]:
    """Returns the class of a name, whose call needs ``x`` and ``edge_index`` and no more."""
    import torch_geometric.nn

    kind = getattr(torch_geometric.nn, model, None) if isinstance(model, str) else None
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
        names = {name.lower(): name for name in stacks()}
        near = difflib.get_close_matches(str(model).lower(), names, n=1)
        hint = f"did you mean '{names[near[0]]}'? " if near else ""
        raise GraphKDError(
            f"unknown teacher.model '{model}': {hint}choose one of {', '.join(names.values())}, or a class of "
            "torch_geometric.nn that is called (x, edge_index)"
        )
    call = inspect.signature(kind.forward).parameters
    needed = [
        name
        for name, each in list(call.items())[1:]
        if each.default is each.empty and each.kind < each.VAR_KEYWORD
    ]
    if needed[:2] != ["x", "edge_index"] or len(needed) > 2:
        raise GraphKDError(
            f"teacher.model={model} is called ({', '.join(needed)}), not (x, edge_index): choose one of "
            f"{', '.join(stacks())}, or give your own fitted network"
        )
    return kind


def _checked(options: Any) -> dict[str, Any]:
    """Returns the options as keyword arguments."""
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise GraphKDError(f"teacher.options is {options}: give arguments by name, such as {{aggr: max}}")
    for key, value in options.items():
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, bool | int | float | str) for part in parts):
            raise GraphKDError(
                f"teacher.options.{key} is {value}: give a number, a word, true, false, or a list of them"
            )
        if key in STORES:
            raise GraphKDError(
                f"teacher.options.{key} would keep the edges of one graph for all others: leave it out"
            )
    return {str(key): _as_counts(value) for key, value in options.items()}


def _as_counts(value: Any) -> Any:
    """Converts a list of whole numbers, such as PNA's histogram of degrees, to a tensor."""
    whole = isinstance(value, list) and value and all(type(part) is int for part in value)
    return torch.tensor(value) if whole else value


def _built(kind: type[nn.Module], model: str, sizes: dict[str, Any], options: dict[str, Any]) -> nn.Module:
    if taken := [key for key in options if key in sizes]:
        raise GraphKDError(f"teacher.options.{taken[0]} is set by other keys: use teacher.hidden_dim and so on")
    known = inspect.signature(kind.__init__).parameters
    given = {key: value for key, value in sizes.items() if key in known}
    if not _is_stack(kind):
        given.pop("dropout", None)
    try:
        return kind(**given, **options)
    except Exception as error:  # a class can fail in any way on its arguments
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise GraphKDError(
            f"teacher.model={model} cannot be built ({reason}): set its arguments in teacher.options, or choose "
            f"another model"
        ) from error


def _reads_weights(network: nn.Module) -> bool:
    takes = "edge_weight" in inspect.signature(network.forward).parameters
    return takes and bool(getattr(network, "supports_edge_weight", True))


def _hops(said: list[Any], logits: Any) -> list[Tensor]:
    """Returns what each convolution said, and the logits last; none where the network has no convolutions."""
    if not said:
        return []
    return [*(said[:-1] if said[-1] is logits else said), logits]
