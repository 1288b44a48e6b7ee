"""Makes `formats_made` importable here: networks the tests write as RAW text."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
