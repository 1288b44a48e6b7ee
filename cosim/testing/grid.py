"""What every grid engine must do, checked from outside."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cosim.core.component import Context
from cosim.core.grid import Connections, Grid, Tables
from cosim.core.types import Floats

STEPS = 6
FLAT_HZ = 1e-9
FLAT_PU = 1e-7
BALANCE_MW = 1e-4
HALVING_HZ = 1e-4


def _inputs(connections: Connections, p_mw: float) -> dict[str, Floats]:
    units, drivers = len(connections.units), len(connections.drivers)
    inputs = {
        "p_mw": np.full(units, p_mw),
        "q_mvar": np.full(units, 0.2 * p_mw),
        "droop_mw_per_hz": np.zeros(units),
        "droop_up_mw": np.zeros(units),
        "droop_down_mw": np.zeros(units),
        "scale_pu": np.ones(drivers),
    }
    for array in inputs.values():
        array.flags.writeable = False
    return inputs


def _run(grid: Grid, connections: Connections, powers: list[float], dt_s: float) -> list[Tables]:
    return [grid.step(i * dt_s, dt_s, _inputs(connections, p_mw), ()) for i, p_mw in enumerate(powers)]


def check_grid(
    build: Callable[[Connections], Any], point: str, p_mw: float = 1.0, dt_s: float = 1.0
) -> Iterator[str]:
    """Yield every way in which a grid engine breaks the contract; nothing when it keeps it.

    Checked: tables as declared, finite, inputs left alone, determinism, `reset` forgets, flat
    start, power balance, and half steps that lead to the same frequency.

    Parameters
    ----------
    build
        Makes the grid for given connections.
    point
        Name of a point or bus that can bear `p_mw`.
    p_mw
        Power of the one unit the check connects [MW].
    dt_s
        Exchange step of the check [s].
    """
    connections = Connections(units=("probe",), points=(point,), devices=(None,))
    grid: Grid = build(connections)
    before = grid.reset(Context())
    yield from _check_tables(grid, before, "reset")
    powers = [p_mw] * 3 + [1.5 * p_mw] * (STEPS - 3)
    try:
        first = _run(grid, connections, powers, dt_s)
    except ValueError as error:
        yield f"step raised {error!r}" + (": inputs must not be changed" if "read-only" in str(error) else "")
        return
    for tables in first:
        yield from _check_tables(grid, tables, "step")
    grid.reset(Context())
    yield from _different(first, _run(grid, connections, powers, dt_s), "reset does not forget")
    other: Grid = build(connections)
    other.reset(Context())
    yield from _different(first, _run(other, connections, powers, dt_s), "not deterministic")
    yield from _check_flat(first)
    yield from _check_balance(first)
    yield from _check_halving(other, connections, powers, dt_s, first[-1])


def _check_tables(grid: Grid, tables: Tables, where: str) -> Iterator[str]:
    for table, names in grid.elements.items():
        if table not in tables:
            yield f"{where}: table {table!r} is missing"
            continue
        for column in grid.columns[table]:
            value = tables[table].get(column)
            if value is None:
                yield f"{where}: column {table}.{column} is missing"
            elif value.shape != (len(names),):
                yield f"{where}: {table}.{column} has shape {value.shape}, wanted ({len(names)},)"
            elif not np.isfinite(value).all():
                bad = [names[i] for i in np.flatnonzero(~np.isfinite(value))[:3]]
                yield f"{where}: {table}.{column} is not finite at {', '.join(bad)}"


def _different(a: list[Tables], b: list[Tables], text: str) -> Iterator[str]:
    changed = {
        f"{table}.{column}"
        for one, two in zip(a, b, strict=True)
        for table in one
        for column in one[table]
        if not np.array_equal(one[table][column], two[table][column], equal_nan=True)
    }
    if changed:
        yield f"{text}: {', '.join(sorted(changed)[:5])}"


def _check_flat(tables: list[Tables]) -> Iterator[str]:
    first, third = tables[0], tables[2]
    drift = np.max(np.abs(third["area"]["f_hz"] - first["area"]["f_hz"]))
    if drift > FLAT_HZ:
        yield f"frequency does not start flat: {drift:.3g} Hz under constant power"
    move = np.max(np.abs(third["bus"]["vm_pu"] - first["bus"]["vm_pu"]))
    if move > FLAT_PU:
        yield f"voltages do not start flat: {move:.3g} pu under constant power"


def _check_balance(tables: list[Tables]) -> Iterator[str]:
    for step, now in enumerate(tables):
        row = now["grid"]
        gap = float(row["generation_mw"][0] - row["load_mw"][0] - row["losses_mw"][0])
        if abs(gap) > BALANCE_MW:
            yield f"power balance is off by {gap:.3g} MW in step {step}"


def _check_halving(
    grid: Grid, connections: Connections, powers: list[float], dt_s: float, whole: Tables
) -> Iterator[str]:
    grid.reset(Context())
    halves = _run(grid, connections, [p for p in powers for _ in range(2)], dt_s / 2.0)[-1]
    gap = float(np.max(np.abs(halves["area"]["f_hz"] - whole["area"]["f_hz"])))
    if gap > HALVING_HZ:
        yield f"half steps lead to another frequency: {gap:.3g} Hz apart"
