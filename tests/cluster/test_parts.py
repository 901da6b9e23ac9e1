"""Settings of a cluster."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from graphkd import GraphKDError
from graphkd.cluster import Ray
from graphkd.cluster.session import check_cluster, cluster_session
from graphkd.outofcore import TableOptions


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"address": ""}, "cluster.address is '': give HOST:PORT"),
        ({"address": 6379}, "cluster.address is 6379: give HOST:PORT"),
        ({"workers": 1.5}, "cluster.workers is 1.5: it must be a whole number"),
        ({"memory": 0}, "cluster.memory is 0: it must be a number above 0"),
    ],
)
def test_a_value_out_of_range_is_one_line(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(GraphKDError) as error:
        Ray(**settings)
    assert message in str(error.value)


def test_a_cluster_needs_files() -> None:
    with pytest.raises(GraphKDError, match="give a memory_budget in GB"):
        TableOptions(cluster=Ray())


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("head", "cluster.address is 'head': give HOST:PORT"),
        ("head:port", "give HOST:PORT"),
        ("127.0.0.1:1", "no cluster answers at 127.0.0.1:1"),
        ("no-such-host.invalid:6379", "no cluster answers at no-such-host.invalid:6379"),
    ],
)
def test_an_address_where_nothing_answers_is_one_line_at_once(address: str, message: str) -> None:
    pytest.importorskip("ray")
    with pytest.raises(GraphKDError) as error, cluster_session(Ray(address=address)):
        raise AssertionError
    assert message in str(error.value)


def test_without_ray_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(GraphKDError, match=r"a cluster needs Ray: pip install 'graphkd\[ray\]'"):
        check_cluster(Ray())
