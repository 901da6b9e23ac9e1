"""Layer matching: which student layer learns from which teacher hop, by which distance.

>>> from graphkd.matching import Reverse
>>> Reverse().pairs(num_student=2, num_teacher=3)
[(0, 2), (1, 1)]
"""

from graphkd.matching.all_to_one import AllToOne
from graphkd.matching.angles import LayerAngles
from graphkd.matching.attention import Attention
from graphkd.matching.base import Matching
from graphkd.matching.emd import EMD
from graphkd.matching.forward import Forward
from graphkd.matching.in_order import InOrderRandom
from graphkd.matching.last import Last
from graphkd.matching.nearest import Nearest
from graphkd.matching.none import NoMatching
from graphkd.matching.random import Random
from graphkd.matching.reverse import Reverse
from graphkd.matching.semckd import SemCKD
from graphkd.matching.skip import Skip
from graphkd.matching.soft import SoftMatching
from graphkd.matching.term import MatchingTerm

__all__ = [
    "EMD",
    "AllToOne",
    "Attention",
    "Forward",
    "InOrderRandom",
    "Last",
    "LayerAngles",
    "Matching",
    "MatchingTerm",
    "Nearest",
    "NoMatching",
    "Random",
    "Reverse",
    "SemCKD",
    "Skip",
    "SoftMatching",
]
