"""The Ray cluster that the environment names."""

from __future__ import annotations

import os

from graphkd.doctor.line import Line
from graphkd.errors import GraphKDError
from graphkd.system import readable


def cluster() -> list[Line]:
    """Returns a line for the cluster at ``RAY_ADDRESS``, or none where that is not set."""
    if not os.environ.get("RAY_ADDRESS"):
        return []
    from graphkd.cluster import Ray
    from graphkd.cluster.session import cluster_session

    try:
        with cluster_session(Ray()) as session:
            session.check([], [])
            return [Line("ok", "cluster", described(session.machines))]
    except GraphKDError as error:
        return [Line("broken", "cluster", str(error))]


def described(machines: dict[str, dict[str, float]]) -> str:
    """Returns what a cluster's machines have together.

    >>> described({"a": {"CPU": 2.0, "memory": 4e9}, "b": {"CPU": 8.0, "memory": 16e9}})
    '2 machines with the same versions as here, 10 processors, 18.6 GiB'
    """
    processors, memory = (sum(each.get(key, 0) for each in machines.values()) for key in ("CPU", "memory"))
    count = f"{len(machines)} machine{'s' * (len(machines) != 1)}"
    return f"{count} with the same versions as here, {processors:g} processors, {readable(int(memory))}"
