"""Teachers that are not trained, as parts of a configuration."""

from __future__ import annotations

from typing import ClassVar

__all__ = ["AdamicAdar", "CommonNeighbours", "HeuristicMean", "ResourceAllocation"]


class HeuristicTeacher:
    """The base class: a name of ``graphkd.links.heuristics.HEURISTICS``, without settings."""

    name: ClassVar[str]


class CommonNeighbours(HeuristicTeacher):
    """``|N(u) ∩ N(v)|`` as a teacher of links; see ``graphkd.links.common_neighbours``.

    Source: Liben-Nowell and Kleinberg, The Link Prediction Problem for Social Networks, CIKM 2003

    >>> CommonNeighbours.name
    'cn'
    """

    name = "cn"


class AdamicAdar(HeuristicTeacher):
    """``Σ_{z ∈ N(u) ∩ N(v)} 1 / log d_z`` as a teacher of links; see ``graphkd.links.adamic_adar``.

    Source: Adamic and Adar, Friends and Neighbors on the Web, Social Networks 25, 2003

    >>> AdamicAdar.name
    'aa'
    """

    name = "aa"


class ResourceAllocation(HeuristicTeacher):
    """``Σ_{z ∈ N(u) ∩ N(v)} 1 / d_z`` as a teacher of links; see ``graphkd.links.resource_allocation``.

    Source: Zhou, Lü and Zhang, Predicting Missing Links via Local Information, European Physical Journal B 71,
        2009

    >>> ResourceAllocation.name
    'ra'
    """

    name = "ra"


class HeuristicMean(HeuristicTeacher):
    """``mean_h (h(u, v) − μ_h) / σ_h`` of the three heuristics as a teacher of links; see ``Heuristic``.

    Source: graphkd's own

    >>> HeuristicMean.name
    'heuristics'
    """

    name = "heuristics"
