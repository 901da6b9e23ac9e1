import torch
from torch import Tensor, nn

from graphkd.training.device.cuda_streams import CudaStreams
from graphkd.training.fit.best_weights import BestWeights
from graphkd.training.fit.train_spec import TrainSpec


def test_tables_and_what_stands_alone_are_taken_over_where_an_epoch_is_the_best() -> None:
    members = [nn.Linear(2, 2) for _ in range(4)]
    running = [0, 2, 3]
    table = torch.stack([members[k].weight.detach() for k in running])
    for k, row in zip(running, table, strict=True):
        members[k].weight.data = row

    def weights(member: int) -> dict[str, Tensor]:
        return members[member].state_dict()

    kept = [{name: tensor.clone() for name, tensor in weights(k).items()} for k in range(4)]
    before = [{name: tensor.clone() for name, tensor in mine.items()} for mine in kept]
    model, tables = nn.ModuleList(members), {"weight": table}
    train_spec = TrainSpec(model, weights, [], [], lambda _: [], lambda: table, tables=lambda: tables)
    best = BestWeights(train_spec, kept, running, CudaStreams(4, table.device))
    with torch.no_grad():
        table += 1
        for member in members:
            member.bias += 1
    best.keep(torch.tensor([False, True, True, False]))
    for k, (mine, old) in enumerate(zip(kept, before, strict=True)):
        for name, tensor in mine.items():
            torch.testing.assert_close(tensor, old[name] + (1 if k == 2 else 0))
