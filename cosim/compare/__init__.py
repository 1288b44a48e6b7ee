"""Two runs or more side by side: key figures, verdicts, plots."""

from cosim.compare.page import write_page
from cosim.compare.runs import Run, read_runs
from cosim.compare.sides import figures_apart, limits_apart
from cosim.compare.terminal import summary

__all__ = ["Run", "figures_apart", "limits_apart", "read_runs", "summary", "write_page"]
