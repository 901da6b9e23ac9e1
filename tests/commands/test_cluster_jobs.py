"""Jobs of a multirun on a cluster, before there is one."""

from __future__ import annotations

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import example, given
from hypothesis import strategies as st

from graphkd import GraphKDError
from graphkd.cluster import Ray
from graphkd.commands.cluster_jobs import _set, run_on_cluster, split_cluster

PATH = st.text(st.characters(codec="utf-8", exclude_characters="\0\n\r"), min_size=1)


@given(PATH)
@example("a\\")
@example("a\\'b,c")
@example("\\\\")
def test_any_path_reaches_hydra_as_it_is(path: str) -> None:
    override = OverridesParser.create().parse_override(_set("output_dir", path))
    assert (override.key_or_group, override.value(), override.is_sweep_override()) == ("output_dir", path, False)


def test_keys_of_the_cluster_are_taken_from_those_of_the_jobs() -> None:
    rest, cluster = split_cluster(
        ["-m", "method=glnn,krd", "cluster=ray", "cluster.workers=3", "cluster.memory=2"]
    )
    assert rest == ["-m", "method=glnn,krd"]
    assert cluster == Ray(workers=3, memory=2.0)
    assert split_cluster(["-m", "cluster=none", "method=glnn"]) == (["-m", "method=glnn"], None)
    assert split_cluster(["-m", "method=glnn"]) == (["-m", "method=glnn"], None)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["cluster=spark"], "unknown cluster 'spark': choose one of none, ray"),
        (["cluster.workers=2"], "'cluster.workers' is no key of the cluster that was chosen"),
        (["cluster=ray", "cluster.workers=0"], "cluster.workers is 0: it must be a whole number"),
        (["cluster=none,ray"], "several values"),
    ],
)
def test_a_mistake_is_one_line(args: list[str], message: str) -> None:
    with pytest.raises(GraphKDError) as error:
        split_cluster(["-m", *args])
    assert message in str(error.value)


def test_where_all_is_finished_no_cluster_is_needed() -> None:
    run_on_cluster([], Ray(address="nowhere:1"))
