import pytest
import torch

from graphkd import GraphKDError
from graphkd.students import MLP
from tests.sparse.test_matrix import sparse


def test_is_linear_relu_linear_on_dense_and_sparse_rows() -> None:
    torch.manual_seed(0)
    model, x = MLP(5, 7, 3, 2).eval(), torch.randn(4, 5)
    hidden = torch.relu(model.layers[0](x))
    for rows in (x, sparse(x)):
        out = model(rows)
        torch.testing.assert_close(out.hidden[0], hidden)
        torch.testing.assert_close(out.logits, model.layers[1](hidden))


@pytest.mark.parametrize("num_layers", [1, 2, 4])
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
def test_one_hidden_tensor_per_hidden_layer(num_layers: int, norm: str) -> None:
    out = MLP(5, 7, 3, num_layers, norm=norm)(torch.randn(4, 5))
    assert [tuple(layer.shape) for layer in out.hidden] == [(4, 7)] * (num_layers - 1)
    assert out.logits.shape == (4, 3)


def test_dropout_acts_in_training_only() -> None:
    torch.manual_seed(0)
    model, x = MLP(5, 64, 3, dropout=0.5), torch.randn(2, 5)
    assert not torch.equal(model(x).logits, model(x).logits)
    assert torch.equal(model.eval()(x).logits, model(x).logits)


def test_sizes_are_checked() -> None:
    with pytest.raises(GraphKDError, match="num_layers is 0"):
        MLP(5, num_layers=0)
