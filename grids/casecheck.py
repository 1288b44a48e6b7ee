"""What must hold between the rows of a case: names, references, ranges, connection, shares."""

import math
from collections.abc import Mapping, Sequence

from cosim.core.registry import nearest
from grids.caseread import Findings, Row
from grids.casetables import LINE_ELECTRIC, TABLES, TRAFO_ELECTRIC

Rows = Mapping[str, list[Row]]

RATIO_TOLERANCE = 0.15
"""Rated winding voltages lie within this share of the bus voltage (525/500, 242/220, 10.5/10)."""

_ORDERED = {
    "bus": (("min_vm_pu", "max_vm_pu"),),
    "gen": (("min_p_mw", "max_p_mw"), ("min_q_mvar", "max_q_mvar")),
    "shunt": (("step", "max_step"), ("vm_low_pu", "vm_high_pu")),
    "trafo": (("tap_min", "tap_max"), ("tap_min", "tap_pos"), ("tap_pos", "tap_max")),
}

_NEEDED = {
    "line": ("r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km", "max_i_ka"),
    "trafo": ("sn_mva", "vn_hv_kv", "vn_lv_kv", "vk_percent", "vkr_percent"),
}


def check_names(rows: Rows, findings: Findings) -> None:
    """Check that names are unique within a table and references name what exists."""
    names = {table: {row.text("name") for row in rows[table]} for table in rows}
    for table, elements in rows.items():
        seen: dict[tuple[str, ...], Row] = {}
        for row in elements:
            key = row.key(TABLES[table])
            if all(key) and key in seen:
                problem = f"is a duplicate: row {seen[key].place.line} has it already"
                findings.about(row.place, TABLES[table].key[-1], " ".join(key), problem)
            seen.setdefault(key, row)
            for column in TABLES[table].columns:
                if column.kind != "reference" or column.name not in row.parsed:
                    continue
                known = set[str]().union(*(names.get(target, set()) for target in column.refers_to))
                word = row.text(column.name)
                if word not in known:
                    problem = f"is unknown (allowed: {column.allowed()}){nearest(word, known)}"
                    findings.about(row.where(column.name), column.name, word, problem)


def check_order(rows: Rows, findings: Findings) -> None:
    """Check that no minimum is above its maximum and schedules lie between them."""
    for table, pairs in _ORDERED.items():
        for row in rows[table]:
            for low, high in pairs:
                if row.number(low) > row.number(high):  # nan: unknown, nothing to compare
                    problem = f"is above {high}={row.number(high):g}"
                    findings.about(row.where(low), low, row.number(low), problem)
    for row in rows["gen"]:
        p_mw, least, most = (row.number(name) for name in ("p_mw", "min_p_mw", "max_p_mw"))
        if row.parsed.get("in_service", True) and (p_mw < least or p_mw > most):
            findings.about(
                row.where("p_mw"), "p_mw", p_mw, f"is out of range (allowed: {least:g} to {most:g})"
            )


def check_types(rows: Rows, kinds: Mapping[str, Mapping[str, object]], findings: Findings) -> None:
    """Check that types exist and a row without one carries the data itself."""
    for table in ("line", "trafo"):
        known = list(kinds[table])
        for row in rows[table]:
            name = row.text("std_type")
            if name and name not in known:
                problem = f"is unknown (allowed: a type in {table}_types.csv){nearest(name, known)}"
                findings.about(row.where("std_type"), "std_type", name, problem)
            for column in _NEEDED[table]:
                if not name and math.isnan(row.number(column)):
                    problem = "is empty (allowed: a number, or a std_type that has it)"
                    findings.about(row.where(column), column, row.cells.get(column, ""), problem)
    known = list(kinds["plant"])
    for table in ("gen", "rest_fleet"):
        for row in rows[table]:
            name = row.text("plant_type")
            if name and name not in known:
                problem = f"is unknown (allowed: a type in plant_types.csv){nearest(name, known)}"
                findings.about(row.where("plant_type"), "plant_type", name, problem)


def check_voltages(rows: Rows, trafos: Sequence[Mapping[str, object]], findings: Findings) -> None:
    """Check that lines join buses of one voltage, and windings fit their buses and impedances."""
    vn_kv = {row.text("name"): row.number("vn_kv") for row in rows["bus"]}
    for row in rows["line"]:
        ends = [vn_kv.get(row.text(end), math.nan) for end in ("from_bus", "to_bus")]
        if abs(ends[0] - ends[1]) > 1e-9:
            problem = f"has {ends[1]:g} kV, the other end has {ends[0]:g} kV (allowed: one voltage)"
            findings.about(row.where("to_bus"), "to_bus", row.text("to_bus"), problem)
        if row.text("from_bus") == row.text("to_bus"):
            findings.about(row.where("to_bus"), "to_bus", row.text("to_bus"), "is the bus the line starts at")
    for row, data in zip(rows["trafo"], trafos, strict=True):
        whole, real = (float(str(data.get(name, math.nan))) for name in ("vk_percent", "vkr_percent"))
        if whole == 0.0 or abs(real) > abs(whole):
            problem = f"is not below vk_percent={whole:g}, which is not 0"
            findings.about(row.where("vkr_percent"), "vkr_percent", real, problem)
        for side in ("hv", "lv"):
            bus_kv = vn_kv.get(row.text(f"{side}_bus"), math.nan)
            rated_kv = float(str(data.get(f"vn_{side}_kv", math.nan)))
            if abs(rated_kv - bus_kv) > RATIO_TOLERANCE * bus_kv:
                problem = (
                    f"has {bus_kv:g} kV, the {side} winding {rated_kv:g} kV "
                    f"(allowed: within {RATIO_TOLERANCE:.0%})"
                )
                findings.about(row.where(f"{side}_bus"), f"{side}_bus", row.text(f"{side}_bus"), problem)


def check_busbars(rows: Rows, findings: Findings) -> None:
    """Check that lines between busbars of a row join several, and know their impedance."""
    vn_kv = {row.text("name"): row.number("vn_kv") for row in rows["bus"]}
    lines_kv = {vn_kv.get(row.text("from_bus")) for row in rows["line"]}
    for row in rows["bus"]:
        spacing_km, where = row.number("spacing_km"), row.where("spacing_km")
        if math.isnan(spacing_km):
            continue
        if row.number("busbars") == 1:
            findings.about(
                where, "spacing_km", spacing_km, "joins one busbar (allowed: busbars > 1, or empty)"
            )
        elif vn_kv[row.text("name")] not in lines_kv:
            problem = f"has no line of {vn_kv[row.text('name')]:g} kV in line.csv to take its impedance from"
            findings.about(where, "spacing_km", spacing_km, problem)


def islands(rows: Rows) -> dict[str, str]:
    """Return bus name -> name of the bus that stands for its connected network."""
    parent = {row.text("name"): row.text("name") for row in rows["bus"]}

    def root(bus: str) -> str:
        while parent[bus] != bus:
            parent[bus] = parent[parent[bus]]
            bus = parent[bus]
        return bus

    for table, ends in (("line", ("from_bus", "to_bus")), ("trafo", ("hv_bus", "lv_bus"))):
        for row in rows[table]:
            one, other = (row.text(end) for end in ends)
            if row.parsed.get("in_service", True) and one in parent and other in parent:
                parent[root(one)] = root(other)
    return {bus: root(bus) for bus in parent}


def check_connection(rows: Rows, findings: Findings) -> None:
    """Check that every bus is connected to exactly one ext_grid, the slack of its network."""
    island = islands(rows)
    slacks: dict[str, list[Row]] = {}
    for row in rows["ext_grid"]:
        if row.parsed.get("in_service", True) and row.text("bus") in island:
            slacks.setdefault(island[row.text("bus")], []).append(row)
    for row in rows["bus"]:
        name = row.text("name")
        if island.get(name) not in slacks:
            findings.about(row.place, "name", name, "is disconnected: no line or trafo leads to an ext_grid")
    for several in slacks.values():
        for row in several[1:]:
            first = several[0].text("name")
            problem = f"is a second slack beside {first!r} (allowed: one per connected network)"
            findings.about(row.where("bus"), "bus", row.text("bus"), problem)


def check_areas(rows: Rows, findings: Findings) -> None:
    """Check that the rest of an area enters through ties whose shares sum to one."""
    outside = {row.text("area") for row in rows["rest_fleet"]}
    tied: dict[str, list[Row]] = {}
    for row in rows["ties"]:
        tied.setdefault(row.text("area"), []).append(row)
    for area in sorted(outside - set(tied)):
        findings.file("ties.csv", f"area {area!r} has a rest_fleet, but no tie it could enter through")
    for area, ties in tied.items():
        total = sum(row.number("share_pu") for row in ties)
        if abs(total - 1.0) > 1e-6:
            problem = f"is one of {len(ties)} shares of {area!r} that sum to {total:g} (allowed: a sum of 1)"
            findings.about(ties[-1].where("share_pu"), "share_pu", ties[-1].number("share_pu"), problem)


def electric_columns(table: str) -> tuple[str, ...]:
    """Return the columns a std_type may fill."""
    return tuple(column.name for column in (LINE_ELECTRIC if table == "line" else TRAFO_ELECTRIC))
