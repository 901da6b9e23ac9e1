"""Calibration of logits on both sides of a loss; each composes with every method."""

from graphkd.calibration.base import Calibration, NoCalibration
from graphkd.calibration.cosine import CosineTemperature
from graphkd.calibration.ctkd import CTKD
from graphkd.calibration.dtkd import DTKD
from graphkd.calibration.dts import DTS
from graphkd.calibration.fixed import FixedTemperature
from graphkd.calibration.linear import LinearTemperature
from graphkd.calibration.logit_standardization import LogitStandardization
from graphkd.calibration.normkd import NormKD

__all__ = [
    "CTKD",
    "DTKD",
    "DTS",
    "Calibration",
    "CosineTemperature",
    "FixedTemperature",
    "LinearTemperature",
    "LogitStandardization",
    "NoCalibration",
    "NormKD",
]
