import torch

from graphkd import Training
from graphkd.training.device.cuda_streams import CudaStreams
from graphkd.training.fit.early_stopping import EarlyStopping

CPU = torch.device("cpu")


def noted(track: EarlyStopping, losses: list[list[float]], values: list[list[float]]) -> None:
    for loss, value in zip(losses, values, strict=True):
        terms = {"loss": torch.tensor(loss)}
        track.note(terms["loss"], terms, torch.tensor(value))


def test_members_begin_and_end_on_their_own() -> None:
    track = EarlyStopping(2, Training(10, patience=2), CPU)
    noted(track, [[1.0, 1.0], [0.4, 0.9], [0.4, 0.4]], [[0.9, 0.1], [0.5, 0.2], [0.4, 0.3]])
    seen = track.read()
    assert (seen.epochs, seen.begun, seen.ended) == (3, [True, True], [0, 0])
    assert seen.best == torch.tensor([0.5, 0.3]).double().tolist()  # 0.9 came before learning had begun
    noted(track, [[0.4, 0.4]], [[0.3, 0.4]])
    assert track.read().ended == [4, 0]
    assert track.best_epoch.tolist() == [1, 3]
    noted(track, [[0.4, 0.4]], [[0.99, 0.1]])  # of a member that is over nothing counts
    assert track.best_epoch.tolist() == [1, 3]
    assert [row["val"] for row in track.log("student", 0, 4)] == torch.tensor(
        [0.9, 0.5, 0.4, 0.3]
    ).double().tolist()


def test_how_long_nothing_has_to_be_decided() -> None:
    training = Training(10, patience=3)
    track = EarlyStopping(2, training, CPU)
    noted(track, [[1.0, 1.0], [0.4, 0.9]], [[0.1, 0.1], [0.5, 0.1]])
    assert track.read().until(training) == 1  # one has not begun
    noted(track, [[0.4, 0.4], [0.4, 0.4]], [[0.4, 0.3], [0.3, 0.4]])
    assert track.read().until(training) == 1  # the first one's best epoch is 1: it may be over after 5
    noted(track, [[0.4, 0.4]], [[0.2, 0.5]])
    assert track.read().ended == [5, 0]
    assert track.read().until(training) == 3  # the other's best epoch is 4: it may be over after 8
    noted(track, [[0.4, 0.4]] * 3, [[0.2, 0.6], [0.2, 0.6], [0.2, 0.6]])
    assert track.read().until(training) == 2  # after 10 all is over


def test_a_loss_that_is_not_finite_ends_its_member_alone() -> None:
    track = EarlyStopping(2, Training(10, patience=5), CPU)
    noted(track, [[1.0, 1.0], [float("inf"), 0.5]], [[0.1, 0.1], [0.2, 0.2]])
    assert track.read().broken == [2, 0]
    assert track.read().ended == [2, 0]


def test_it_goes_on_from_a_checkpoint() -> None:
    one, two = (EarlyStopping(1, Training(10, patience=2), CPU) for _ in range(2))
    noted(one, [[1.0], [0.4]], [[0.1], [0.5]])
    two.resume(one.progress("student", 1.5, {}))
    for track in (one, two):
        noted(track, [[0.3], [0.2]], [[0.2], [0.3]])
    assert one.read() == two.read()
    assert one.log("student", 0, 4) == two.log("student", 0, 4)
    assert two.progress("student", 2.0, {}).seconds == 2.0


def test_lanes_change_nothing_without_a_device() -> None:
    lanes, order = CudaStreams(3, CPU), []
    for k in range(3):
        with lanes.stream(k):
            order.append(k)
    lanes.join()
    assert order == [0, 1, 2]
