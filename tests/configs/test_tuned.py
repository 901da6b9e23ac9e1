"""Recipes of tuned teachers state what the released commands state."""

import pytest

from graphkd.config import composed, names_in

COMMANDS = """
computers gcn 512 1000 0.001 3 5e-5 0.5 layer
computers sage 64 1000 0.001 4 5e-5 0.3 layer
computers gat 64 1000 0.001 2 5e-5 0.5 layer
photo gcn 256 1000 0.001 6 5e-5 0.5 layer residual
photo sage 64 1000 0.001 6 5e-5 0.2 layer residual
photo gat 64 1000 0.001 3 5e-5 0.5 layer residual
cs gcn 512 1500 0.001 2 5e-4 0.3 layer residual
cs sage 512 1500 0.001 2 5e-4 0.5 layer residual
cs gat 256 1500 0.001 1 5e-4 0.3 layer residual
physics gcn 64 1500 0.001 2 5e-4 0.3 layer residual
physics sage 64 1500 0.001 2 5e-4 0.7 batch residual
physics gat 256 1500 0.001 2 5e-4 0.7 batch residual
cora gcn 512 500 0.001 3 5e-4 0.7 none
cora sage 256 500 0.001 3 5e-4 0.7 none
cora gat 512 500 0.001 3 5e-4 0.2 none residual
citeseer gcn 512 500 0.001 2 0.01 0.5 none
citeseer sage 512 500 0.001 3 0.01 0.2 none
citeseer gat 256 500 0.001 3 0.01 0.5 none residual
pubmed gcn 256 500 0.005 2 5e-4 0.7 none
pubmed sage 512 500 0.005 4 5e-4 0.7 none
pubmed gat 512 500 0.01 2 5e-4 0.5 none
ogbn-arxiv gcn 512 2000 5e-4 5 5e-4 0.5 batch residual
"""
"""Data set, teacher, width, epochs, rate, convolutions, weight decay, dropout, norm, residuals.

Source: Luo et al., Classic GNNs are Strong Baselines, NeurIPS 2024: its released commands, and their defaults.
"""

ROWS = [
    pytest.param(line.split(), id="_".join(line.split()[:2]), marks=pytest.mark.slow if k % 7 else ())
    for k, line in enumerate(COMMANDS.split("\n")[1:-1])
]


def test_every_command_has_a_recipe() -> None:
    recipes = [name.removeprefix("tuned/") for name in names_in("experiment") if name.startswith("tuned/")]
    assert sorted(recipes) == sorted("_".join(line.split()[:2]) for line in COMMANDS.split("\n")[1:-1])


@pytest.mark.parametrize("row", ROWS)
def test_a_recipe_composes_into_the_released_settings(row: list[str]) -> None:
    dataset, teacher, width, epochs, rate, layers, decay, dropout, norm, *residual = row
    config = composed([f"experiment=tuned/{dataset}_{teacher}"])
    network, training = config.teacher, config.training
    assert (config.dataset.name, network._target_.rpartition(".")[2].lower()) == (dataset, teacher)
    # One convolution and a linear layer, without a hidden hop of one's own, are two convolutions here.
    assert (network.hidden_dim, network.num_layers) == (int(width), max(int(layers), 2))
    assert (network.dropout, network.norm, network.residual) == (float(dropout), norm, bool(residual))
    assert (training.teacher_lr, training.teacher_weight_decay) == (float(rate), float(decay))
    assert training.max_epochs == training.patience == int(epochs)
    drawn = dataset in ("computers", "photo", "cs", "physics")
    assert config.dataset.split == ("fractions" if drawn else "ogb" if dataset == "ogbn-arxiv" else "public")
    if teacher == "gat":
        assert (network.heads, network.attention_dropout) == (1, 0.0)
