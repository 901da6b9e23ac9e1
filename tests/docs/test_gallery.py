"""Every part has a page, made from what the code states."""

import functools
import inspect

import pandas as pd
import pytest

import graphkd
from docs.generate.api import public_packages
from docs.generate.command_line import command_line_page
from docs.generate.configuration import configuration_page
from docs.generate.facts import command_of, facts_of
from docs.generate.gallery import WITHOUT_PAGES, gallery_pages, headline, lead, part_page
from docs.generate.scores import FOLDER, measured, published
from graphkd import methods
from graphkd.cli import command_parser
from graphkd.config import GROUPS, composed, parts_of, spec_from
from graphkd.config_links import is_links, link_spec_from
from graphkd.config_reference import known_keys
from graphkd.influence import reliability
from graphkd.registry import catalogue, source_of

pages = functools.cache(gallery_pages)
PARTS = [(group, name) for group in GROUPS if group not in WITHOUT_PAGES for name in parts_of(group)]


def test_there_is_a_page_per_part_and_a_group_lists_its_parts() -> None:
    for group, name in PARTS:
        assert f"gallery/{group}/{name}.rst" in pages()
        assert f":doc:`{name} <{name}>`" in pages()[f"gallery/{group}/index.rst"]


@pytest.mark.parametrize("name", catalogue(methods))
def test_a_method_has_its_source_cost_and_a_sentence(name: str) -> None:
    part = catalogue(methods)[name]
    assert source_of(part).split(",")[0] in pages()[f"gallery/method/{name}.rst"]
    assert f"``{part.step_cost}``" in dict(facts_of(part))["Cost of a step"]
    assert 10 < len(lead(part)) < 200


def test_a_page_has_settings_with_defaults_and_the_yaml() -> None:
    page = part_page("method", "krd", methods.KRD)
    assert "``method.warmup``" in page
    assert "override /influence: reliability" in page
    assert headline(methods.KRD).startswith("lam · mean_{v labelled} CE(z_v, y_v)")
    assert page.count(headline(methods.KRD)) == 1


def test_what_an_influence_reads_is_stated() -> None:
    assert ("Teacher", "needed") in facts_of(reliability)


def test_measured_scores_are_means_of_the_committed_table() -> None:
    runs = pd.read_csv(FOLDER / "expected.csv")
    scores = {}
    for row in runs.itertuples():
        scores.setdefault((row.cell, row.model), {})[row.seed] = 100 * row.test
    for cell, seeds, mean, difference in measured("krd"):
        own, glnn = scores[cell, "krd"], scores[cell, "glnn"]
        pairs = [own[seed] - glnn[seed] for seed in own if seed in glnn]
        assert int(seeds) == len(own)
        assert float(mean.split()[0]) == pytest.approx(sum(own.values()) / len(own), abs=0.0501)
        assert float(difference.replace("−", "-")) == pytest.approx(sum(pairs) / len(pairs), abs=0.0501)


def test_published_scores_name_their_source() -> None:
    assert all(source for *_, source in published("krd"))
    assert published("no such method") == []


@pytest.mark.slow
@pytest.mark.parametrize(("group", "name"), PARTS)
def test_the_command_of_a_page_composes(group: str, name: str) -> None:
    config = composed(command_of(group, name))
    assert link_spec_from(config) if is_links(config) else spec_from(config)


def test_the_reference_has_every_key_and_every_command() -> None:
    configuration, commands = configuration_page(), command_line_page()
    assert all(f"`{key}`" in configuration for key in known_keys() if "." in key)
    (subcommands,) = [each for each in command_parser()._actions if each.choices and not each.option_strings]
    assert all(f"## graphkd {name}\n" in commands for name in subcommands.choices or ())


def test_every_public_package_has_a_page() -> None:
    packages = {name for name in graphkd.__all__ if inspect.ismodule(getattr(graphkd, name))}
    assert {f"graphkd.{name}" for name in packages} <= set(public_packages())
