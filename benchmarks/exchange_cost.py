"""Does an exchange cost more in a long run than in a short one?

1,000 and 20,000 exchanges of the hand-over scenario, and of an empty mosaik run of the same wiring.
"""

from tools import bar, empty_run_s, full_run_s

from cosim.assemble import prepare

SHORT, LONG = 1_000, 20_000


def plan_of(count: int):
    changes = {"until_s": count, "clock": {"step_s": 1, "windows": []}, "units.load_curve": None}
    return prepare("anhui_handover", changes=changes)


def main() -> None:
    full_run_s(plan_of(SHORT))  # compiles what is not in the cache
    cost_ms, empty_ms = {}, {}
    for count in (SHORT, LONG):
        cost_ms[count] = 1e3 * full_run_s(plan_of(count))[0] / count
        empty_ms[count] = 1e3 * empty_run_s(plan_of(count)) / count
        print(f"{count} exchanges: {cost_ms[count]:.2f} ms each, empty mosaik {empty_ms[count]:.2f} ms")
    bar("20,000 exchanges against 1,000", cost_ms[LONG] / cost_ms[SHORT], 1.2, "times the cost of one")
    print(f"     empty mosaik grows by {empty_ms[LONG] / empty_ms[SHORT]:.2f}")
    print(f"     full run over empty mosaik: {cost_ms[LONG] / empty_ms[LONG]:.2f} times")


if __name__ == "__main__":
    main()
