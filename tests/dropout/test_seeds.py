"""The numbers that calls begin with, one by one and as recorded epochs take them."""

import pytest
import torch

from graphkd.dropout.seeds import DrawCounter, SeedSlots, numbers, starts

CPU = torch.device("cpu")


def test_they_follow_their_generator_and_use_all_64_bits() -> None:
    one, two = (torch.Generator().manual_seed(3) for _ in range(2))
    at_once = numbers(500, one)
    assert at_once.tolist() == [int(starts([two], CPU)) for _ in range(500)]
    assert float((at_once < 0).double().mean()) == pytest.approx(0.5, abs=0.1)
    assert int(at_once.abs().max()) > 2**62


def test_without_a_generator_they_are_torchs_own() -> None:
    torch.manual_seed(5)
    found = [int(starts([None], CPU)) for _ in range(3)]
    torch.manual_seed(5)
    assert found == numbers(3, None).tolist()


def test_recorded_epochs_take_what_epochs_without_a_record_would() -> None:
    """Three tables by two generators and torch's own, one of them twice in an epoch, in turns of 2, 3 and 1."""

    def epoch(generators: list[torch.Generator]) -> list[torch.Tensor]:
        one, two = generators
        return [starts([one, two], CPU), starts([None], CPU), starts([two, one], CPU)]

    plain, recorded = ([torch.Generator().manual_seed(seed) for seed in (1, 2)] for _ in range(2))
    torch.manual_seed(7)
    wanted, count = [], DrawCounter()
    for _ in range(6):
        with count.of_calls():
            wanted.append(torch.cat(epoch(plain)).tolist())
    torch.manual_seed(7)
    slots, found = SeedSlots(3, count.size, CPU), []
    with slots.recorded():
        taken = epoch(recorded)
    for times in (2, 3, 1):
        slots.fill(times)
        for _ in range(times):  # what the recorded calls do on a device
            torch.index_select(slots.table, 0, slots.epoch, out=slots.row)
            slots.epoch += 1
            found.append(torch.cat(taken).tolist())
    assert found == wanted
    assert all(place.storage_offset() % 2 == 0 for place in taken)


def test_an_epoch_that_takes_more_than_was_counted_is_no_record() -> None:
    with SeedSlots(1, 2, CPU).recorded():
        starts([None] * 2, CPU)
        with pytest.raises(AssertionError, match="more numbers than the one that was counted"):
            starts([None], CPU)
