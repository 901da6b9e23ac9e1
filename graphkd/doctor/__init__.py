"""Diagnosis of the installation as a list of lines; nothing is downloaded, trained or written, nothing raises."""

from graphkd.doctor.line import Line
from graphkd.doctor.report import Report, examine

__all__ = ["Line", "Report", "examine"]
