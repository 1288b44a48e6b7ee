"""Makes `made_run` importable here: the tests of KPIs, verdict and report share one made-up run."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "kpi"))
