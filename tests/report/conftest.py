"""Makes `made_run` and `page_data` importable here: tests of KPIs, verdict and report share them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "kpi"))
