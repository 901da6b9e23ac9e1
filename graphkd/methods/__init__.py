"""Distillation methods, one file per paper: graph and teacher → ``Targets`` → loss over rows."""

from graphkd.methods.adagmlp import AdaGMLP
from graphkd.methods.base import Method
from graphkd.methods.epoch import Epoch, Phase
from graphkd.methods.ff_g2m import FFG2M
from graphkd.methods.glnn import GLNN
from graphkd.methods.infgrand import InfGraND
from graphkd.methods.krd import KRD
from graphkd.methods.mlp import MLP
from graphkd.methods.progmlp import ProgMLP
from graphkd.methods.simmlp import SimMLP
from graphkd.methods.soft_targets import SoftTargets
from graphkd.methods.targets import Targets
from graphkd.methods.vqgraph import VQGraph

__all__ = [
    "FFG2M",
    "GLNN",
    "KRD",
    "MLP",
    "AdaGMLP",
    "Epoch",
    "InfGraND",
    "Method",
    "Phase",
    "ProgMLP",
    "SimMLP",
    "SoftTargets",
    "Targets",
    "VQGraph",
]
