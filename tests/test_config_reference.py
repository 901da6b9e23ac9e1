"""Every key is listed with its type, default and meaning."""

import re
from collections.abc import Iterator

import pytest
from omegaconf import OmegaConf

from graphkd.config import GROUPS, composed, groups, names_in, parts_of
from graphkd.config_reference import Key, KeyGroup, config_reference, group_summary, known_keys, unknown_key
from graphkd.registry import parameters_of

REFERENCE = config_reference()


def keys_of(group: str, choice: str) -> dict[str, Key]:
    """The keys that are valid for one choice: shared ones, and its own."""
    sections = [each for each in REFERENCE if each.group == group and each.choice in ("", choice)]
    return {key.name: key for section in sections for key in section.keys}


def every_key() -> Iterator[tuple[KeyGroup, Key]]:
    return ((section, key) for section in REFERENCE for key in section.keys)


def test_every_key_has_a_type_a_default_and_a_meaning() -> None:
    incomplete = [key.name for _, key in every_key() if not (key.type and key.default and key.meaning)]
    assert incomplete == []


@pytest.mark.parametrize("group", [group for group in GROUPS if group != "dataset"])
def test_a_part_has_the_keys_that_its_arguments_set(group: str) -> None:
    for name, part in parts_of(group).items():
        assert set(keys_of(group, name)) == {f"{group}.{argument}" for argument in parameters_of(part)}


def test_defaults_are_those_of_a_composed_config() -> None:
    config = OmegaConf.to_container(composed([]), resolve=True)
    assert isinstance(config, dict)
    for key in keys_of("training", "default").values():
        value = config["training"][key.name.removeprefix("training.")]
        assert key.default == {"None": "null", "False": "false"}.get(str(value), str(value))


def test_every_group_has_a_summary() -> None:
    assert all(group_summary(group) for group in groups())


def test_a_key_of_two_parts_with_two_defaults_is_stated_for_each() -> None:
    assert keys_of("method", "krd")["method.lam"].default != keys_of("method", "glnn")["method.lam"].default


def test_groups_and_their_keys_are_known() -> None:
    assert {"seeds", "method", "experiment", "method.lam", "dataset.columns", "setting.name"} <= set(known_keys())


def test_a_typo_shows_the_nearest_three_keys_of_its_group() -> None:
    message = unknown_key("training.max_epoch")
    near = re.findall(r"'([^']+)'", message)[1:]
    assert near[0] == "training.max_epochs"
    assert len(near) == 3
    assert all(key.startswith("training.") for key in near)


def test_a_typo_in_a_group_shows_the_nearest_keys_of_all() -> None:
    assert "'training.lr'" in unknown_key("trainng.lr")


def test_a_group_with_one_key_shows_it_alone() -> None:
    assert "did you mean 'setting.name'?" in unknown_key("setting.share")


def test_a_key_of_another_choice_is_explained() -> None:
    assert "is no key of the method that was chosen" in unknown_key("method.warmup")


def test_names_of_a_group_are_its_choices() -> None:
    assert {section.choice for section in REFERENCE if section.group == "method"} - {""} <= set(names_in("method"))
