"""The base class of encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from graphkd.encoders.propagation import Propagation

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.encoders.encoding import Encoding


class Encoder:
    """Computes the student's inputs from a graph's features, and from its edges where it needs them.

    An encoder holds settings alone. ``fit`` returns what a bundle keeps and replays on rows that arrive later.

    A subclass is a frozen dataclass with a ``name``, a docstring with a ``Source:`` line, and fields that have
    defaults; it overrides ``fit``, and ``propagation`` or ``extra`` where its inputs are not the raw rows.

    >>> class Rows(Encoder):
    ...     name = "rows"
    ...
    ...     def fit(self, graph, seed=0):
    ...         return Encoding()
    ...
    >>> Rows().reads, Rows().width(10)
    ('x', 10)
    """

    name: ClassVar[str]

    def fit(self, graph: Graph, seed: int = 0) -> Encoding:
        """Fits the encoder; reads no label of other than training nodes, and most read none.

        Args:
            graph: the observed one.
            seed: of the run, of which an encoder that draws may depend.
        """
        raise NotImplementedError

    @property
    def propagation(self) -> Propagation | None:
        """How the features enter: propagated over the graph or as they are; None if they do not."""
        return Propagation()

    def extra(self, num_classes: int = 0) -> int:
        """Returns the number of columns beside the features, for ``C`` classes."""
        return 0

    @property
    def reads(self) -> str:
        """What a student of such inputs reads at inference: ``x``, ``neighbours``, ``positions``, ``labels``."""
        names = [] if self.propagation is None else [self.propagation.reads]
        return " and ".join([*names, *["positions"] * (self.extra() > 0)])

    def width(self, num_features: int, num_classes: int = 0) -> int:
        """Returns ``D'`` of the inputs for ``D`` features and ``C`` classes, which label histograms depend on."""
        return self.extra(num_classes) + (0 if self.propagation is None else self.propagation.width(num_features))
