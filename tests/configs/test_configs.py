"""Every file in configs/ composes, every exported part has its file, and the defaults agree."""

from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from graphkd import config as configuration
from graphkd.config import GROUPS, composed, config_dir, names_in, parts_of, resolved, spec_from
from graphkd.config_links import is_links, link_spec_from
from graphkd.registry import catalogue
from graphkd.spec import resolve, settings_of
from graphkd.training import Training

OF_LINKS = {name for package in configuration.OF_LINKS.values() for name in catalogue(package)}

FILES = [
    # Cells of published tables are many, and alike; so are parts of a group, of which every fifth is composed.
    pytest.param(group, name, marks=pytest.mark.slow if group == "experiment" or k % 5 else ())
    for group in configuration.groups()
    for k, name in enumerate(names_in(group))
]


@pytest.mark.parametrize(("group", "name"), FILES)
def test_every_file_composes_into_parts(group: str, name: str) -> None:
    overrides = [f"{group}={name}"]
    if group == "influence":
        overrides.append("method=infgrand")
    if name in ("balanced_softmax", "effective_number", "logit_adjustment"):
        overrides.append("method.lam=0.5")
    if (group, name) == ("method", "vqgraph"):
        overrides.append("teacher=vqgraph")
    if name in OF_LINKS or group == "decoder":
        overrides.append("dataset.task=link")
    config = composed(overrides)
    spec: Any = link_spec_from(config) if is_links(config) else spec_from(config)
    if group in ("teacher", "student", "method", "matching"):
        assert spec.names[group] == name
    assert resolved(config, [0])["seeds"] == [0]


@pytest.mark.parametrize("group", GROUPS)
def test_every_exported_part_has_its_file(group: str) -> None:
    parts = set(parts_of(group))
    assert set(names_in(group)) - {"none"} == parts - {"none"}


def test_the_library_s_defaults_are_the_command_line_s() -> None:
    assert spec_from(composed([])).config() == resolve().config()
    assert spec_from(composed(["method=infgrand"])).config() == resolve(method="infgrand").config()


def test_a_method_brings_its_influence_and_the_command_line_has_the_last_word() -> None:
    assert composed(["method=glnn"]).influence is None
    assert composed(["method=infgrand", "method.variant=reference"]).influence.variant == "reference"
    assert composed(["method=infgrand", "influence=none"]).influence is None
    assert composed(["method=infgrand", "influence=uniform"]).influence._target_ == "graphkd.influence.uniform"


def test_published_cells_state_what_the_paper_s_configuration_states() -> None:
    config = composed(["experiment=infgrand/cora_sage_transductive"])
    assert (config.dataset.name, config.teacher.num_layers, config.teacher.hidden_dim) == ("cora", 3, 512)
    assert (config.teacher.dropout, config.student.dropout, config.training.lr) == (0.3, 0.4, 0.01)
    method = OmegaConf.to_container(config.method)
    assert method.pop("_target_") == "graphkd.methods.InfGraND"
    assert method == {
        "variant": "reference", "lam": 0.5, "tau": 1.3, "delta1": 0.8, "delta2": 0.1,
        "gamma1": 1.0, "gamma2": 0.4, "hops": 2, "kl": "forward",
        "pooling": "mean",
    }  # fmt: skip
    assert config.influence.variant == "reference"


def test_a_setting_may_be_a_number_or_a_list() -> None:
    assert spec_from(composed(["training.fanout=7"])).training.fanout == 7
    assert spec_from(composed(["training.fanout=[15,10]"])).training.fanout == [15, 10]


def test_schemas_come_from_the_code() -> None:
    assert OmegaConf.to_container(composed([]).training) == {
        "_target_": "graphkd.training.Training",
        **settings_of(Training),
    }


def test_an_installed_wheel_has_its_configs_inside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(configuration, "__file__", str(tmp_path / "config.py"))
    assert config_dir() == tmp_path.parent / "configs"
    (tmp_path / "configs").mkdir()
    assert config_dir() == tmp_path / "configs"
