"""What every term is that is added to a method's loss."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor, nn

from graphkd.checks import is_real
from graphkd.errors import GraphKDError

if TYPE_CHECKING:
    from graphkd.methods import Epoch, Targets
    from graphkd.students import StudentOutput

MOST_WEIGHT = 1e12
"""Above this weight, squared gradients overflow Adam's float32 state, and no parameter would move."""


class Term(nn.Module):
    """A loss that is added to a method's own, times ``weight``.

    A module, since some learn: what ``build`` registers trains with the student, and is in checkpoints. What moves
    between epochs does so in ``on_epoch_start``, as a function of registered buffers and parameters.

    A subclass has a ``name``, under which the log has its values, a docstring with a ``Source:`` line, and an
    ``__init__`` whose arguments have defaults and are kept under their own names.

    Args:
        weight: of the term.
        lr: learning rate of what it trains; by default the student's.

    Raises:
        GraphKDError: a value outside its range.

    >>> class Squares(Term):
    ...     name = "squares"
    ...
    ...     def forward(self, output, batch):
    ...         return output.logits.square().mean()
    ...
    >>> Squares(weight=0.1).can_be_shared
    False
    """

    name: ClassVar[str]
    reads: ClassVar[tuple[str, ...]] = ("logits", "hidden", "targets")
    """What ``forward`` reads: ``logits`` and ``hidden`` layers of the student, the teacher's ``hops``, other
    ``targets``. One that names ``hops`` has a teacher trained, also where the method reads none."""
    row_sum: ClassVar[bool] = False
    """Declares that it is a mean over rows of what depends on nothing but the row, so that several processes can
    share them. A contract test checks a declaration."""
    static_step: ClassVar[bool] = False
    """Declares that it makes the same calls to the device every time and reads nothing back, so that a CUDA graph
    can hold it."""
    last_phase: ClassVar[bool] = False
    """Whether it is added in a method's last phase alone: a loss of predictions, which no earlier phase trains."""

    def __init__(self, weight: float, lr: float | None = None) -> None:
        super().__init__()
        if not (is_real(weight) and 0 <= weight < MOST_WEIGHT):
            raise GraphKDError(f"term.weight is {weight}: it must lie between 0 and {MOST_WEIGHT:g}")
        if lr is not None and not (is_real(lr) and 0 < lr < 1e30):
            raise GraphKDError(f"term.lr is {lr}: it must lie between 0 and 1e30, or be left out")
        self.weight, self.lr = weight, lr

    def build(self, student_widths: list[int], targets: Targets) -> None:
        """Registers what a term needs; called once per seed, on a copy, with torch's generator seeded.

        Args:
            student_widths: of the student's hidden layers.
            targets: compiled.

        Raises:
            GraphKDError: the term does not fit the layers.
        """

    def on_epoch_start(self, epoch: Epoch, targets: Targets) -> None:
        """Moves what moves between epochs; called without gradients.

        Args:
            epoch: that begins.
            targets: all rows, to read.
        """

    def forward(self, output: StudentOutput, batch: Targets) -> Tensor:
        """Computes the term, a scalar, before its weight.

        Args:
            output: ``logits [B, C]`` and hidden layers of the student, of the first call of a step.
            batch: the same rows of the targets.
        """
        raise NotImplementedError

    @property
    def is_row_sum(self) -> bool:
        """Whether processes can share the rows."""
        return self.row_sum

    @property
    def can_be_shared(self) -> bool:
        """Whether several processes can compute it: each of its own rows, or each of all rows."""
        return self.is_row_sum or "targets" not in self.reads

    @property
    def is_static(self) -> bool:
        """Whether a CUDA graph can hold it: as declared, and nothing moves between epochs."""
        return self.static_step and type(self).on_epoch_start is Term.on_epoch_start

    @property
    def may_skip_parameters(self) -> bool:
        """Whether a step may leave some of its parameters unused; overridden by a term that does."""
        return False

    def shared(self, output: StudentOutput, batch: Targets) -> Tensor:
        """Returns what the rows of this process add to the term of the whole batch.

        A mean over rows is shared; anything else, and a batch of fewer rows than processes, is computed by every
        process from all rows.

        Raises:
            GraphKDError: it reads targets that processes do not gather.
        """
        from graphkd.distributed import world
        from graphkd.distributed.reductions import gather_rows

        shard = batch.shard
        if shard is None:
            return self(output, batch)  # type: ignore[no-any-return]
        if self.is_row_sum and shard.total >= world().size:
            return self(output, batch) * (batch.num_rows / shard.total)  # type: ignore[no-any-return]
        if "targets" in self.reads:
            raise GraphKDError(
                f"term={self.name} reads targets of all rows, which processes do not gather: start it without "
                "torchrun, or choose a training.batch_size of more rows than processes"
            )
        if "logits" in self.reads:
            output = replace(output, logits=gather_rows(output.logits, shard))
        if "hidden" in self.reads:
            output = replace(output, hidden=[gather_rows(layer, shard) for layer in output.hidden])
        if "hops" in self.reads:
            batch = replace(batch, hops=[gather_rows(hop, shard) for hop in batch.hops])
        return self(output, batch) / world().size  # type: ignore[no-any-return]
