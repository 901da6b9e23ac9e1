from pathlib import Path

import pytest

import graphkd
from graphkd.commands.own_data import own_data
from graphkd.errors import GraphKDError


def test_data_changed_after_it_was_loaded_is_not_taken_for_the_run_s_own(tmp_path: Path) -> None:
    short = graphkd.Training(max_epochs=1)
    data = graphkd.load_dataset("digits")
    graphkd.distill(data, training=short, baseline=False).save(tmp_path / "same")
    assert own_data(tmp_path / "same", 0, None).num_nodes == data.num_nodes
    data.x = data.x.max() - data.x
    graphkd.distill(data, training=short, baseline=False).save(tmp_path / "other")
    with pytest.raises(GraphKDError, match="was trained on other data than digits holds now"):
        own_data(tmp_path / "other", 0, None)
