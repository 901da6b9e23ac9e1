import torch

from graphkd.norm import make_norm


def test_batch_normalisation_trains_on_one_row_by_its_running_statistics() -> None:
    torch.manual_seed(0)
    norm, plain = make_norm("batch", 3), torch.nn.BatchNorm1d(3)
    rows, one = torch.randn(5, 3), torch.randn(1, 3)
    torch.testing.assert_close(norm(rows), plain(rows))
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    out = norm(one)
    torch.testing.assert_close(out, plain.eval()(one))
    out.sum().backward()
    assert norm.bias.grad.tolist() == [1.0, 1.0, 1.0]
    assert all(torch.equal(value, before[name]) for name, value in norm.state_dict().items())
