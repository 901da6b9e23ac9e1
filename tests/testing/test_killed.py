import pytest

from graphkd.methods import Epoch, Targets
from graphkd.methods.glnn import GLNN
from graphkd.testing.methods import resumes_with_the_same_bits


class Counting(GLNN):
    """A method of a user's own that counts epochs in an attribute, which no checkpoint has."""

    name = "counting"

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def on_epoch_start(self, epoch: Epoch, targets: Targets) -> None:
        self.count += 1
        targets.refold(logits=targets.soft.fold.logits * (1 + 1 / self.count))


def test_state_outside_buffers_is_noticed_in_a_method_that_is_not_exported() -> None:
    with pytest.raises(AssertionError, match="killed after every 1 checkpoints"):
        resumes_with_the_same_bits(Counting)
