"""Distillation methods, one file per paper: graph and teacher → ``Targets`` → loss over rows.

>>> from graphkd.methods import GLNN
>>> GLNN(lam=0.1).facts()
('teacher', 'student reads x', 'no edges in a step', 'loss N C')
"""

from graphkd.methods.adagmlp import AdaGMLP
from graphkd.methods.base import Method
from graphkd.methods.cohop import CoHOp
from graphkd.methods.epoch import Epoch, Phase
from graphkd.methods.ff_g2m import FFG2M
from graphkd.methods.g2mlp import G2MLP
from graphkd.methods.glnn import GLNN
from graphkd.methods.hgmd import HGMD
from graphkd.methods.infgrand import InfGraND
from graphkd.methods.krd import KRD
from graphkd.methods.linkdist import CoLinkDist, LinkDist
from graphkd.methods.mlp import MLP
from graphkd.methods.nosmog import NOSMOG
from graphkd.methods.progmlp import ProgMLP
from graphkd.methods.simmlp import SimMLP
from graphkd.methods.soft_targets import SoftTargets
from graphkd.methods.targets import Targets
from graphkd.methods.teacher_bounded import TeacherBounded
from graphkd.methods.tined import TINED
from graphkd.methods.tined_plus import TINEDPlus
from graphkd.methods.vqgraph import VQGraph

__all__ = [
    "FFG2M",
    "G2MLP",
    "GLNN",
    "HGMD",
    "KRD",
    "MLP",
    "NOSMOG",
    "TINED",
    "AdaGMLP",
    "CoHOp",
    "CoLinkDist",
    "Epoch",
    "InfGraND",
    "LinkDist",
    "Method",
    "Phase",
    "ProgMLP",
    "SimMLP",
    "SoftTargets",
    "TINEDPlus",
    "Targets",
    "TeacherBounded",
    "VQGraph",
]
