"""Pass or fail: KPIs and states of a run against limits and expectations."""

from cosim.verdict.findings import Finding, Verdict
from cosim.verdict.judge import judge
from cosim.verdict.limits import Limit, LimitSet, limit_sets, load_limits

__all__ = ["Finding", "Limit", "LimitSet", "Verdict", "judge", "limit_sets", "load_limits"]
