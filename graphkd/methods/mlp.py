"""The student without a teacher."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkd.features import Propagation
from graphkd.methods.base import Method
from graphkd.methods.ranges import check_counts
from graphkd.methods.targets import Targets, mean_over
from graphkd.sparse import check_pooling

if TYPE_CHECKING:
    from graphkd.datasets import Graph
    from graphkd.teachers import TeacherOutput


class MLP(Method):
    """``mean CE(z_v, y_v)`` over the labelled nodes: the MLP trained without distillation, the baseline.

    It has no teacher, but can read any method's inputs. With ``hops=0`` it reads raw rows, as GLNN's student
    does. With ``hops=P`` it reads ``POOL({X, ÃX, …, Ã^P X})``, as InfGraND's does, and is the fair baseline for
    such a student.

    Source: the baseline; no paper. Propagated rows for a model without message passing: Wu et al., Simplifying
    Graph Convolutional Networks, ICML 2019

    Args:
        hops: ``P``; 0 leaves the features unchanged.
        self_loops: ``s`` in Ã over ``A + s I``; InfGraND's ``variant=reference`` has 2.
        pooling: of the hops: ``mean``, ``max``, ``min`` or ``concat``.

    Raises:
        GraphKDError: a setting outside its range.

    >>> MLP(hops=2, pooling="concat").input_width(10)
    30
    """

    name = "mlp"
    has_teacher = False

    def __init__(self, hops: int = 0, self_loops: int = 1, pooling: str = "mean") -> None:
        super().__init__(lam=1.0, tau=1.0)
        check_counts(0, hops=hops, self_loops=self_loops)
        check_pooling(pooling)
        self.hops, self.self_loops, self.pooling = int(hops), int(self_loops), pooling

    @classmethod
    def beside(cls, method: Method) -> MLP:
        """Returns the plain MLP that reads what ``method``'s student reads."""
        inputs = method.propagation()
        return cls(inputs.hops, inputs.self_loops, inputs.pooling)

    def propagation(self, weighted: bool = False) -> Propagation:
        """Returns ``P`` hops over ``A + s I``."""
        return Propagation(self.hops, self.self_loops, weighted, self.pooling) if self.hops else Propagation()

    def prepare(self, graph: Graph, teacher: TeacherOutput) -> Targets:
        """Returns inputs and labels; the teacher is not read."""
        propagation = self.propagation(graph.adj.weighted)
        return Targets(
            inputs=propagation.mix(graph.x, graph.adj),
            labels=graph.y,
            label_weight=mean_over(graph.train, graph.num_nodes),
            propagation=propagation,
        )
