"""Does memory stay flat over a long run?

Peak memory of 1 h and of 24 h of the summer day at 10 s, each in a process of its own.
"""

import sys
from pathlib import Path

from tools import bar, full_run_s, in_own_process, peak_mb

from cosim.assemble import prepare

SCENARIO = Path(__file__).with_name("anhui_day.yaml")


def measure(hours: str) -> None:
    clock = {"step_s": 10, "windows": []}
    plan = prepare(SCENARIO, changes={"until_s": 3600 * int(hours), "clock": clock, "events": []})
    full_run_s(plan)
    print(peak_mb())


def main() -> None:
    hour_mb, day_mb = (float(in_own_process(__file__, hours)) for hours in ("1", "24"))
    bar("peak memory of 24 h", day_mb, 600.0, "MB")
    bar("against that of 1 h", day_mb / hour_mb, 1.2, f"times {hour_mb:.0f} MB")


if __name__ == "__main__":
    measure(sys.argv[1]) if len(sys.argv) > 1 else main()
