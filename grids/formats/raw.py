"""PSS/E RAW, revisions 32 to 34, as a `SourceGrid`.

Sources: the records as the public documentation of readers of the format gives them (ANDES 2.0
`io/psse.py`, PowSyBl's PSS/E format page, the `power_flow_data` crate's field lists).
"""

import math
from itertools import product
from pathlib import Path

from cosim.core.errors import CaseError, collected
from grids.formats.rawdc import dc_lines
from grids.formats.rawtext import RawText, Record, read_raw_text
from grids.formats.rawtrafo import transformers
from grids.formats.source import (
    SMALLEST_X_PU,
    Branch,
    Bus,
    Injection,
    Load,
    Machine,
    Shunt,
    SourceGrid,
    without_jumper,
)
from grids.formats.stored import SLACK_PU, stored_mismatch

UNLIMITED_MW = 9999.0
"""The format's default limits."""

ISOLATED, SWING, HELD = 4, 3, 2
"""Bus types IDE."""


def read_raw(path: Path) -> SourceGrid:
    """Return the network of a RAW file.

    Raises
    ------
    CaseError
        When the file cannot be read, or has elements in service that a case has no table for: all of
        them, by section and name.
    """
    text = read_raw_text(path)
    grid = SourceGrid(text.title or path.stem, text.file, text.base_mva, text.f_hz)
    kinds = _buses(text, grid)
    collected([*_unknown_buses(text, grid, kinds), *_refused(text)], CaseError)
    wrong = []
    for take in (_loads, _fixed_shunts, _switched_shunts, _branches, transformers, dc_lines):
        try:
            take(text, grid)
        except CaseError as error:
            wrong.append(str(error))
    collected(wrong, CaseError)
    for kind in ("loads", "shunts", "injections", "branches"):
        _leave_out(grid, kind)
    _look_at_voltages(text, grid, kinds)
    _machines(text, grid, kinds)
    if text["impedance correction"]:
        grid.remarks.append("impedance correction tables are not applied: impedances are the nominal ones")
    return grid


def _look_at_voltages(text: RawText, grid: SourceGrid, kinds: dict[int, int]) -> None:
    """Say whether the stored voltages are a solution."""
    made_mw: dict[int, float] = {}
    for r in text["generator"]:
        bus = r.whole(0, "I")
        if r.whole(14, "STAT", 1) == 1:
            p_mw = math.nan if kinds[bus] == SWING else r.number(2, "PG", 0.0)
            made_mw[bus] = made_mw.get(bus, 0.0) + p_mw
    mismatch_pu, bus = stored_mismatch(grid, made_mw)
    grid.solved = mismatch_pu <= SLACK_PU
    if not grid.solved:
        what = f"{mismatch_pu * grid.base_mva:.4g} MVA are missing at bus {bus}"
        grid.remarks.append(f"the stored voltages are no solution ({what}): machines hold their VS")


def _leave_out(grid: SourceGrid, kind: str) -> None:
    """Drop elements at isolated buses, which were not taken."""
    known = grid.buses
    elements = getattr(grid, kind)
    ends = ("one", "other") if kind == "branches" else ("bus",)
    stay = [e for e in elements if all(getattr(e, end) in known for end in ends)]
    if len(stay) < len(elements):
        grid.remarks.append(f"{len(elements) - len(stay)} {kind} at isolated buses are left out")
    setattr(grid, kind, stay)


def _buses(text: RawText, grid: SourceGrid) -> dict[int, int]:
    """Take the buses; return the type of each, isolated ones included."""
    areas = {r.whole(0, "I"): r.text(4) for r in text["area"]}
    kinds: dict[int, int] = {}
    for r in text["bus"]:
        number = r.whole(0, "I")
        kinds[number] = r.whole(3, "IDE", 1)
        if kinds[number] == ISOLATED:
            grid.remarks.append(f"bus {number} is isolated (IDE = 4) and left out")
            continue
        vn_kv = r.number(2, "BASKV", 0.0)
        if vn_kv == 0.0:
            grid.remarks.append(f"bus {number} has no base voltage: 1 kV is taken")
        area = r.whole(4, "AREA", 1)
        label = r.text(1)
        of = {"zone": r.text(5, "1"), "owner": r.text(6, "1")}
        name = f"NAME {label!r}, " if label else ""
        grid.buses[number] = Bus(
            number=number,
            label=label,
            vn_kv=vn_kv or 1.0,
            area=areas.get(area) or str(area),
            note=name + ", ".join(f"{key} {value}" for key, value in of.items()),
            vm_pu=r.number(7, "VM", 1.0),
            va_degree=r.number(8, "VA", 0.0),
            max_vm_pu=r.number(9, "NVHI", 1.1),
            min_vm_pu=r.number(10, "NVLO", 0.9),
        )
    return kinds


def _unknown_buses(text: RawText, grid: SourceGrid, kinds: dict[int, int]) -> list[str]:
    ends = {
        "load": 1,
        "fixed shunt": 1,
        "generator": 1,
        "switched shunt": 1,
        "branch": 2,
        "system switching device": 2,
    }
    wrong = []
    for section, count in ends.items():
        for r, place in product(text[section], range(count)):
            number = r.whole(place, "IJ"[place])
            if (abs(number) if place else number) not in kinds:  # a minus at J marks the metered end
                wrong.append(f"{r.where('IJ'[place], place)}: {r.text(place)!r} is no bus of the file")
    if not grid.buses:
        wrong.append(f"{text.file}: section bus has no buses in service")
    return wrong


_NAMED_OFF = {"vsc dc": (1, "MDC"), "facts": (3, "MODE")}
"""Place and name of what says that the element is off (0)."""


def _refused(text: RawText) -> list[str]:
    """Return what is in service and has no table in a case."""
    found: list[Record] = []
    for section, (place, name) in _NAMED_OFF.items():
        lines = 3 if section == "vsc dc" else 1
        found += [r for r in text[section][::lines] if r.whole(place, name, 1) != 0]
    for section in ("multi-terminal dc", "gne"):
        found += text[section][:1]
    found += [r for r in text["induction machine"] if r.whole(2, "STAT", 1) != 0]
    return [
        f"{r.file}, line {r.line}, section {r.section}: {r.text(0)!r} has no table in a case" for r in found
    ]


def _loads(text: RawText, grid: SourceGrid) -> None:
    """Take loads: constant admittance becomes a shunt, constant current its power at the stored voltage."""
    for r in text["load"]:
        bus, key, on = r.whole(0, "I"), r.text(1, "1"), r.whole(2, "STATUS", 1) == 1
        vm_pu = grid.buses[bus].vm_pu if bus in grid.buses else 1.0
        ip_mw, iq_mvar = r.number(7, "IP", 0.0), r.number(8, "IQ", 0.0)
        p_mw = r.number(5, "PL", 0.0) + ip_mw * vm_pu
        q_mvar = r.number(6, "QL", 0.0) + iq_mvar * vm_pu
        notes = []
        if ip_mw or iq_mvar:
            notes.append(f"constant current {ip_mw:g} MW, {iq_mvar:g} Mvar taken at {vm_pu:g} pu")
        if r.whole(16, "DGENM", 0) == 1 and text.revision >= 34:
            made = r.number(14, "DGENP", 0.0), r.number(15, "DGENQ", 0.0)
            p_mw, q_mvar = p_mw - made[0], q_mvar - made[1]
            notes.append(f"less its distributed generation of {made[0]:g} MW")
        yp_mw, yq_mvar = r.number(9, "YP", 0.0), r.number(10, "YQ", 0.0)
        if p_mw or q_mvar or not (yp_mw or yq_mvar):
            grid.loads.append(Load(bus, key, p_mw, q_mvar, on, "; ".join(notes)))
        if yp_mw or yq_mvar:
            note = "constant admittance of the load"
            grid.shunts.append(Shunt(bus, f"load{key}", yp_mw, -yq_mvar, on, note))


def _fixed_shunts(text: RawText, grid: SourceGrid) -> None:
    for r in text["fixed shunt"]:
        p_mw, q_mvar = r.number(3, "GL", 0.0), -r.number(4, "BL", 0.0)
        on = r.whole(2, "STATUS", 1) == 1
        grid.shunts.append(Shunt(r.whole(0, "I"), r.text(1, "1"), p_mw, q_mvar, on))


def _switched_shunts(text: RawText, grid: SourceGrid) -> None:
    """Take switched shunts as they stand: BINIT."""
    for r in text["switched shunt"]:
        on, mode = r.whole(3, "STAT", 1) == 1, r.whole(1, "MODSW", 1)
        low, high = r.number(5, "VSWLO", 1.0), r.number(4, "VSWHI", 1.0)
        note = f"switched, MODSW {mode}, {low:g} to {high:g} pu; stands at its BINIT"
        grid.shunts.append(Shunt(r.whole(0, "I"), "sw", 0.0, -r.number(9, "BINIT", 0.0), on, note))


def _machines(text: RawText, grid: SourceGrid, kinds: dict[int, int]) -> None:
    """Take generators; the first in service at a swing bus holds the angle."""
    swung: set[int] = set()
    for r in text["generator"]:
        bus = r.whole(0, "I")
        if bus not in grid.buses:
            continue
        on = r.whole(14, "STAT", 1) == 1
        if r.number(11, "RT", 0.0) or r.number(12, "XT", 0.0):
            msg = (
                f"{r.where('XT', 12)}: the step-up transformer of generator {r.text(1, '1')!r} at bus {bus} "
                "is part of the machine (allowed: RT = XT = 0; give the transformer its own record)"
            )
            raise CaseError(msg)
        if kinds[bus] not in {HELD, SWING} and not grid.solved:
            key, note = r.text(1, "1"), "generator at a bus of type 1"
            powers = r.number(2, "PG", 0.0), r.number(3, "QG", 0.0)
            grid.injections.append(Injection(bus, key, *powers, in_service=on, note=note))
            continue
        slack = on and kinds[bus] == SWING and bus not in swung
        swung |= {bus} if slack else set()
        grid.machines.append(_machine(r, grid, bus, on=on, slack=slack))
    bare = [bus for bus, kind in kinds.items() if kind == SWING and bus not in swung]
    grid.remarks += [f"swing bus {bus} has no generator" for bus in bare]


def _machine(r: Record, grid: SourceGrid, bus: int, *, on: bool, slack: bool) -> Machine:
    p_mw, q_mvar = r.number(2, "PG", 0.0), r.number(3, "QG", 0.0)
    top, bottom = r.number(4, "QT", UNLIMITED_MW), r.number(5, "QB", -UNLIMITED_MW)
    sn_mva = r.number(8, "MBASE", grid.base_mva) or grid.base_mva
    highest, lowest = r.number(16, "PT", UNLIMITED_MW), r.number(17, "PB", -UNLIMITED_MW)
    notes = []
    if highest >= UNLIMITED_MW:
        highest = max(sn_mva, p_mw)
        notes.append("no PT: the rating is taken")
    if lowest <= -UNLIMITED_MW:
        lowest = min(0.0, p_mw)
        notes.append("no PB: 0 is taken")
    if not lowest <= p_mw <= highest:
        notes.append(f"PG {p_mw:g} lies outside PB {lowest:g} .. PT {highest:g}, which is widened")
        lowest, highest = min(lowest, p_mw), max(highest, p_mw)
    reach = min(abs(q_mvar - limit) for limit in (top, bottom))
    vm_pu, why = _held(r, grid, bus, at_limit=reach <= 1e-3 * max(1.0, abs(q_mvar)))
    if why:
        notes.append(why)
    if wind := r.whole(26, "WMOD", 0):
        notes.append(f"WMOD {wind}")
    return Machine(
        bus=bus,
        key=r.text(1, "1"),
        p_mw=p_mw,
        vm_pu=vm_pu,
        sn_mva=sn_mva,
        min_p_mw=lowest,
        max_p_mw=highest,
        min_q_mvar=min(bottom, top),
        max_q_mvar=max(bottom, top),
        slack=slack,
        va_degree=grid.buses[bus].va_degree if slack else 0.0,
        r_pu=r.number(9, "ZR", 0.0),
        x_pu=r.number(10, "ZX", 1.0),
        in_service=on,
        note="; ".join(notes),
    )


def _held(r: Record, grid: SourceGrid, bus: int, *, at_limit: bool) -> tuple[float, str]:
    """Return the voltage the machine holds at its bus, and why it is not VS."""
    vs, stored = r.number(6, "VS", 1.0), grid.buses[bus].vm_pu
    if not grid.solved or math.isclose(vs, stored, abs_tol=2e-5):
        return vs, ""
    remote = r.whole(7, "IREG", 0)
    if remote not in {0, bus}:
        return stored, f"holds bus {remote} at {vs:g} pu in the source; here its own at the stored voltage"
    if at_limit:
        return stored, f"at a reactive limit, so below or above its VS {vs:g}; the stored voltage is taken"
    return stored, f"the stored voltage is taken, VS is {vs:g}"


def _branches(text: RawText, grid: SourceGrid) -> None:
    """Take lines; shunts of their ends become shunts of the buses."""
    after = {32: 9, 33: 9, 34: 19}[text.revision]
    rating = {32: 6, 33: 6, 34: 7}[text.revision]
    for r in text["branch"]:
        one, other, key = r.whole(0, "I"), abs(r.whole(1, "J")), r.text(2, "1")
        r_pu = r.number(3, "R", 0.0)
        x_pu, note = without_jumper(r_pu, r.number(4, "X"))
        on = r.whole(after + 4, "ST", 1) == 1
        for end, bus in enumerate((one, other)):
            g = r.number(after + 2 * end, "GIGJ"[2 * end : 2 * end + 2], 0.0)
            b = r.number(after + 2 * end + 1, "BIBJ"[2 * end : 2 * end + 2], 0.0)
            if g or b:
                name = f"{one}_{other}_{key}_{end + 1}"
                powers = g * grid.base_mva, -b * grid.base_mva
                grid.shunts.append(Shunt(bus, name, *powers, on, "shunt at the end of the line"))
        branch = Branch(
            one=one,
            other=other,
            key=key,
            r_pu=r_pu,
            x_pu=x_pu,
            b_pu=r.number(5, "B", 0.0),
            rating_mva=r.number(rating, "RATEA", 0.0),
            in_service=on,
            note=note,
        )
        grid.branches.append(branch)
    for r in text["system switching device"]:
        x_pu, note = without_jumper(0.0, r.number(3, "X", SMALLEST_X_PU))
        key, on = f"sw{r.text(2, '1')}", r.whole(16, "STATUS", 1) == 1
        ends = r.whole(0, "I"), abs(r.whole(1, "J"))
        grid.branches.append(Branch(*ends, key, 0.0, x_pu, in_service=on, note=note or "switching device"))
