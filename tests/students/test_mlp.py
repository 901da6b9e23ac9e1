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


@pytest.mark.parametrize("norm", ["none", "layer"])
@pytest.mark.parametrize("dropout", [0.1, 0.5, 0.9])
def test_what_is_matched_in_training_is_the_layer_before_dropout(norm: str, dropout: float) -> None:
    torch.manual_seed(0)
    model, x = MLP(5, 64, 3, 2, dropout=dropout, norm=norm), torch.randn(8, 5)
    hidden = torch.relu(model.norms[0](model.layers[0](x)))
    torch.testing.assert_close(model(x).hidden[0], hidden)
    assert not torch.allclose(model(x).logits, model.layers[1](hidden))


@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
def test_no_bias_before_a_batch_norm(norm: str, num_layers: int) -> None:
    """It would be taken away again, and its gradient is rounding alone."""
    model = MLP(5, 7, 3, num_layers, norm=norm)
    biases = [layer.bias is not None for layer in model.layers]
    assert biases == [norm != "batch"] * (num_layers - 1) + [True]


def test_sizes_are_checked() -> None:
    with pytest.raises(GraphKDError, match="num_layers is 0"):
        MLP(5, num_layers=0)


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
def test_hidden_layers_may_have_a_width_each(norm: str) -> None:
    out = MLP(5, num_classes=3, norm=norm, hidden_dims=[7, 2, 4]).eval()(torch.randn(4, 5))
    assert [tuple(layer.shape) for layer in out.hidden] == [(4, 7), (4, 2), (4, 4)]
    assert out.logits.shape == (4, 3)
    with pytest.raises(GraphKDError, match="hidden_dim is 0"):
        MLP(5, hidden_dims=[7, 0])


@pytest.mark.parametrize("norm", ["none", "layer"])
def test_what_goes_into_and_comes_out_of_linear_layers_is_kept_where_it_is_read(norm: str) -> None:
    torch.manual_seed(0)
    model, x = MLP(5, 7, 3, 3, dropout=0.5, norm=norm), torch.randn(8, 5)
    assert model(x).linear == []
    model.keeps_linear = True
    out, h = model(x), x
    for k, (mapped, dropped) in enumerate(out.linear):
        torch.testing.assert_close(mapped, model.layers[k](h))
        kept = dropped != 0
        torch.testing.assert_close(dropped[kept], 2 * torch.relu(model.norms[k](mapped))[kept])
        h = dropped
    torch.testing.assert_close(out.logits, model.layers[-1](h))
    assert len(out.linear) == 2
    part = out.select(torch.tensor([3]))
    assert torch.equal(part.linear[1][0], out.linear[1][0][[3]])
