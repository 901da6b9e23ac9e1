"""The report as one HTML page that loads nothing from elsewhere."""

from graphkd.reports.html.page import to_html

__all__ = ["to_html"]
