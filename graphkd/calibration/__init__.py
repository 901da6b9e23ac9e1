"""Calibration of logits on both sides of a loss; each composes with every method."""

from graphkd.calibration.base import Calibration, NoCalibration
from graphkd.calibration.curriculum import CurriculumTemperature
from graphkd.calibration.standardized import Standardized

__all__ = ["Calibration", "CurriculumTemperature", "NoCalibration", "Standardized"]
