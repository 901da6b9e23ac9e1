"""Which student layer learns from which teacher hop, by which distance."""

from graphkd.matching.all_to_one import AllToOne
from graphkd.matching.base import Matching
from graphkd.matching.forward import Forward
from graphkd.matching.none import NoMatching
from graphkd.matching.random import Random
from graphkd.matching.reverse import Reverse
from graphkd.matching.term import MatchingTerm

__all__ = ["AllToOne", "Forward", "Matching", "MatchingTerm", "NoMatching", "Random", "Reverse"]
