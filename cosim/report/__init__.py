"""One offline HTML page of a run and its verdict."""

from cosim.report.page import page, write_report

__all__ = ["page", "write_report"]
