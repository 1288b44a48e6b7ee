"""Makes the toys importable, here and in the processes some of them run in."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "run"))
