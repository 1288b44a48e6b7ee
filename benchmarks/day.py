"""How long does a day of Anhui take, and how much of it is mosaik?

A day at 60 s with one hour at 1 s, all components, after compilation; against an empty mosaik run of
the same wiring.
"""

from pathlib import Path

from tools import bar, empty_run_s, full_run_s

from cosim.assemble import prepare

SCENARIO = Path(__file__).with_name("anhui_day.yaml")


def main() -> None:
    warm_up = {"until_s": 600, "clock": {"step_s": 60, "windows": []}, "events": []}
    full_run_s(prepare(SCENARIO, changes=warm_up))  # compiles what is not in the cache
    plan = prepare(SCENARIO)
    wall_s, cpu_s = full_run_s(plan)
    empty_s = empty_run_s(plan)
    count = len(plan.clock)
    print(f"{count} exchanges, {len(plan.stages) + 2} simulators, {1e3 * wall_s / count:.2f} ms an exchange")
    bar("a day of anhui", wall_s, 15.0, f"s wall ({cpu_s:.1f} s of processor time)")
    bar("against an empty mosaik run of the same wiring", wall_s / empty_s, 4.0, f"times {empty_s:.1f} s")


if __name__ == "__main__":
    main()
