"""Which plots a run gets: by what its tables hold, not by which components it was made of."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cosim.core.units import UNITS
from cosim.kpi.panel import component_tables, tables_with
from cosim.kpi.places import unit_points
from cosim.report import flexibility
from cosim.report.campus import campus_figures, island_frequency
from cosim.report.codes import meanings
from cosim.report.figure import MOST_LINES, Figure, Line, limit_lines, lines_of, symbol
from cosim.report.work import WORK_TITLE, shown_columns, work_figures
from cosim.report.work_map import number_of_units
from cosim.verdict import Verdict
from cosim.verdict.cause import BRANCH_POWER
from cosim.verdict.text import number, quantity

if TYPE_CHECKING:
    from cosim.results import Results

WORST_BRANCHES = 10


@dataclass
class Section:
    """A heading and its plots; `folded` plots are drawn when the reader opens them."""

    id: str
    title: str
    figures: list[Figure] = field(default_factory=list)
    zero: list[str] = field(default_factory=list)
    """Titles of plots left out because all their lines are zero throughout."""
    folded: bool = False
    lead: str = ""
    """HTML before the plots."""


class Plots:
    """Builds the sections of one run and remembers which columns they show."""

    def __init__(self, results: "Results", verdict: Verdict) -> None:
        self.results, self.verdict = results, verdict
        self.shown: set[tuple[str, str]] = set()

    def sections(self) -> list[Section]:
        """Return all sections that have something to show."""
        found = [
            Section("work", WORK_TITLE, self.work()),
            Section("points", "Voltage and power where units connect", self.points()),
            Section("frequency", "Frequency", self.frequency()),
            Section("links", "Direct-current links", self.links()),
            Section("machines", "Machines and voltages of the grid", self.machines()),
            Section("loading", "Branches and the grid as a whole", self.loading()),
            Section("campuses", "Campuses at their meters", campus_figures(self.results)),
            Section("halls", "Halls", self.halls()),
            Section("storage", "Storage", self.storage()),
            Section("flexibility", "How far units could be moved", self.flexibility()),
            Section("controllers", "What controllers promised and delivered", self.promises()),
            Section("moves", "What moved when", self.moves()),
            Section("more", "Everything else that was recorded", self.others(), folded=True),
        ]
        units = number_of_units(self.results)
        for section in found:
            for figure in section.figures:
                _coloured(figure, units)
            section.zero = [figure.title for figure in section.figures if figure.zero]
            section.figures = [figure for figure in section.figures if not figure.zero]
        return [section for section in found if section.figures]

    def points(self) -> list[Figure]:
        """Voltages of connection points, power and reactive power of what is connected."""
        figures = []
        if "point" in self.results.tables:
            units, points = self.results.elements("point"), unit_points(self.results)
            first: dict[str, str] = {}
            for unit in units:
                first.setdefault(points.get(unit, unit), unit)
            lines = lines_of(self.results, "point", "vm_pu", list(first.values()))
            where = {unit: point for point, unit in first.items()}
            for line in lines:
                line.name = where[line.name]
            limits = limit_lines(
                self.results, self.verdict, "point", "vm_pu", list(first.values()), rules_of="bus"
            )
            figures.append(_figure("Voltage at connection points", "vm_pu", lines, limits, len(first)))
            self.shown |= {("point", "vm_pu"), ("point", "f_hz"), ("point", "p_mw"), ("point", "q_mvar")}
        for column, title in (("p_mw", "Power drawn"), ("q_mvar", "Reactive power drawn")):
            figures += self._drawn(column, title)
        return figures

    def _drawn(self, column: str, title: str) -> list[Figure]:
        """Power of connected units as the grid saw it, and what other kinds publish by that name."""
        if "point" not in self.results.tables or column not in self.results.columns("point"):
            return self._everyones(column, title)
        connected = self.results.elements("point")
        limits = []
        for table in tables_with(self.results, column):
            if set(self.results.elements(table)) <= set(connected):
                limits += limit_lines(self.results, self.verdict, table, column)
                self.shown.add((table, column))
        largest = self.results.series("point", column).abs().max()
        resting = [name for name in connected if not largest[name] > 0.0]
        drawing = [name for name in connected if name not in resting]
        lines = lines_of(self.results, "point", column, drawing or connected)
        figure = _figure(title, column, lines, _tightest(limits), len(drawing))
        if drawing and resting:
            more = f" and {len(resting) - 6} more" if len(resting) > 6 else ""
            zero = f"zero throughout: {', '.join(resting[:6])}{more}"
            figure.caption = "; ".join(part for part in (figure.caption, zero) if part)
        return [figure, *self._everyones(column, f"{title}, of units elsewhere")]

    def frequency(self) -> list[Figure]:
        """Frequency with its extremes within exchanges, its rate, and who answered."""
        if "area" not in self.results.tables:
            return []
        columns = self.results.columns("area")
        areas = self.results.elements("area")
        figure = Figure("Frequency", "Hz", wide=True)
        for i, area in enumerate(areas):
            alone = len(areas) == 1
            for column, name, dash in (
                ("f_hz", "at the end of each exchange" if alone else area, "solid"),
                ("f_min_hz", "lowest within" if alone else "dotted: lowest and highest within", "dot"),
                ("f_max_hz", "highest within", "dot"),
            ):
                if column in columns:
                    line = lines_of(self.results, "area", column, [area], label=name)[0]
                    line.dash, line.colour = dash, i
                    line.legend = alone or column == "f_hz" or (i == 0 and column == "f_min_hz")
                    figure.lines.append(line)
                    figure.limits += limit_lines(self.results, self.verdict, "area", column, [area])
        figure.limits = _tightest(figure.limits)
        figure.marks = self._frequency_marks(columns)
        figures = [figure]
        if "rocof_hz_per_s" in columns:
            lines = lines_of(self.results, "area", "rocof_hz_per_s", label="{}")
            limits = limit_lines(self.results, self.verdict, "area", "rocof_hz_per_s")
            figures.append(
                _figure("Rate of change of frequency, over 500 ms", "rocof_hz_per_s", lines, limits, 0)
            )
        powers = [c for c in columns if c.endswith("_mw")]
        for area in self._moved_most(areas) if powers else ():
            lines = [
                line for c in powers for line in lines_of(self.results, "area", c, [area], label=_words(c))
            ]
            title = "Imbalance and who answered" + (f", {area}" if len(areas) > 1 else "")
            figures.append(_figure(title, "p_mw", lines, [], 0))
        self.shown |= {("area", column) for column in columns}
        return [*figures, *island_frequency(self.results)]

    def _moved_most(self, areas: Sequence[str]) -> list[str]:
        """Return the two areas whose frequency moves most, the first one first."""
        f_hz = self.results.series("area", "f_hz")[list(areas)]
        return list((f_hz.max() - f_hz.min()).sort_values(ascending=False, kind="stable").index[:2])

    def links(self) -> list[Figure]:
        """Powers at both ends of direct-current links."""
        if "link" not in self.results.tables:
            return []
        total = len(self.results.elements("link"))
        ends = (("p_from_mw", "Power drawn at the sending end"), ("p_to_mw", "Power delivered at the other"))
        self.shown |= {("link", column) for column, _ in ends}
        return [_figure(title, c, lines_of(self.results, "link", c), [], total) for c, title in ends]

    def machines(self) -> list[Figure]:
        """Rotor angles and speeds where the engine tells them, and the voltages that move most."""
        figures = []
        for column, title in (("delta_degree", "Rotor angles"), ("speed_pu", "Speed of the machines")):
            if "gen" in self.results.tables and column in self.results.columns("gen"):
                lines = lines_of(self.results, "gen", column)
                figures.append(_figure(title, column, lines, [], len(self.results.elements("gen"))))
        if figures and "bus" in self.results.tables:
            lines = lines_of(self.results, "bus", "vm_pu")
            limits = limit_lines(self.results, self.verdict, "bus", "vm_pu", [line.name for line in lines])
            total = len(self.results.elements("bus"))
            figures.append(_figure("Voltages of buses", "vm_pu", lines, _tightest(limits), total))
        return figures

    def loading(self) -> list[Figure]:
        """Draw the most loaded branches of the run, and the sums of the grid."""
        worst: list[tuple[float, str, str]] = []
        for table in BRANCH_POWER:
            if table in self.results.tables:
                peak = self.results.series(table, "loading_percent").max()
                worst += [(float(v), table, str(n)) for n, v in peak.items() if np.isfinite(v)]
        worst.sort(key=lambda w: -w[0])
        figures = []
        if worst:
            lines, limits = [], []
            for _, table, name in worst[:WORST_BRANCHES]:
                lines += lines_of(self.results, table, "loading_percent", [name])
                limits += limit_lines(self.results, self.verdict, table, "loading_percent", [name])
            figure = _figure(
                "Loading of the ten most loaded branches", "loading_percent", lines, _tightest(limits), 0
            )
            figure.wide, figure.floor = True, 0.0
            figure.caption = f"of {len(worst)} lines and transformers"
            figures.append(figure)
        if "grid" in self.results.tables:
            for title, columns in (
                ("Load and generation of the grid", ("load_mw", "generation_mw")),
                ("Losses and what the slack carried beyond them", ("losses_mw", "slack_residual_mw")),
            ):
                present = [c for c in columns if c in self.results.columns("grid")]
                lines = [line for c in present for line in lines_of(self.results, "grid", c, label=_words(c))]
                if lines:
                    figures.append(_figure(title, "p_mw", lines, [], 0))
        return figures

    def halls(self) -> list[Figure]:
        """Draw what batteries of supplies carry, temperatures with their limits, throttling, PUE."""
        figures = []
        for column, title in (
            ("ups_mw", "Power out of the batteries of supplies, < 0 charges"),
            ("ups_energy_mwh", "Energy in the batteries of supplies"),
            ("temp_die_max_degc", "Hottest die"),
            ("temp_inlet_degc", "Air entering the racks"),
            ("temp_air_degc", "Hall air behind the racks"),
            ("temp_coolant_degc", "Coolant leaving the racks"),
            ("throttle_pu", "Clocks held down"),
            ("pue_pu", "Power drawn over IT power"),
            ("chiller_mw", "Power of chillers"),
            ("temp_outdoor_degc", "Outdoor air"),
            ("temp_wetbulb_degc", "Wet bulb"),
            ("water_kg_per_s", "Fresh water for heat rejection"),
        ):
            figures += self._everyones(column, title)
        return figures

    def storage(self) -> list[Figure]:
        """Charge and fast response of stores; their power is among that of the units."""
        figures = self._everyones("soc_pu", "State of charge")
        stores = [n for table in tables_with(self.results, "soc_pu") for n in self.results.elements(table)]
        if not stores:
            return []
        power: list[Line] = []
        if "point" in self.results.tables:
            if "p_mw" in self.results.columns("point"):
                power = lines_of(self.results, "point", "p_mw", stores)
            droop = lines_of(self.results, "point", "p_droop_mw", stores, label="{}, droop")
            power += [line for line in droop if np.nanmax(np.abs(line.values), initial=0.0) > 0.0]
            self.shown.add(("point", "p_droop_mw"))
        if power:
            figures.insert(0, _figure("Power, > 0 charges", "p_mw", power, [], len(stores)))
        return figures

    def work(self) -> list[Figure]:
        """Jobs and requests of sites."""
        self.shown |= shown_columns(self.results)
        return work_figures(self.results)

    def flexibility(self) -> list[Figure]:
        """Power of each unit within its feasible range."""
        self.shown |= flexibility.columns()
        return flexibility.ribbons(self.results)

    def promises(self) -> list[Figure]:
        """Promised and delivered, by controller."""
        self.shown |= flexibility.promised_columns(self.results)
        return flexibility.promises(self.results)

    def moves(self) -> list[Figure]:
        """Work at source and target, what waits, what is moved, phases; then work of the halls."""
        figures = []
        for table in tables_with(self.results, "moved_pu"):
            columns = self.results.columns(table)
            for title, suffix in (
                ("Work at source and target", "_gpu"),
                ("Share moved", "moved_pu"),
                ("Work waiting", "_gpu_h"),
                ("Phase", "_code"),
            ):
                chosen = [c for c in columns if c.endswith(suffix)]
                several = len(self.results.elements(table)) > 1
                lines = [
                    line
                    for c in chosen
                    for line in lines_of(
                        self.results, table, c, label=("{} " if several else "") + _words(c).replace("{", "")
                    )
                ]
                if lines:
                    figures.append(_figure(title, chosen[0], lines, [], 0))
                    figures[-1].ticks = meanings(table, chosen[0])
            self.shown |= {(table, c) for c in columns}
        for column, title in (
            ("work_done_gpu", "Work done in halls"),
            ("work_unserved_gpu", "Work offered and not done"),
        ):
            figures += self._everyones(column, title)
        return figures

    def others(self) -> list[Figure]:
        """Columns no other section shows, by kind and unit of measurement."""
        groups: dict[tuple[str, str], list[str]] = defaultdict(list)
        for table in component_tables(self.results):
            for column in self.results.columns(table):
                if (table, column) not in self.shown:
                    groups[table, symbol(column)].append(column)
        figures = []
        for (table, _), columns in groups.items():
            lines = [
                line
                for column in columns
                for line in lines_of(self.results, table, column, label="{} " + _words(column))
            ]
            limits = [
                limit
                for column in columns
                for limit in limit_lines(self.results, self.verdict, table, column)
            ]
            title = f"{table}: {', '.join(_words(c) for c in columns[:4])}{' …' if len(columns) > 4 else ''}"
            figures.append(_figure(title, columns[0], lines[:MOST_LINES], _tightest(limits), len(lines)))
            figures[-1].ticks = meanings(table, columns[0]) if len(columns) == 1 else []
        return figures

    def _everyones(self, column: str, title: str) -> list[Figure]:
        """One plot of a column of every component kind that has it."""
        lines: list[Line] = []
        limits = []
        total = 0
        for table in tables_with(self.results, column):
            if (table, column) in self.shown:
                continue
            total += len(self.results.elements(table))
            lines += lines_of(self.results, table, column)
            limits += limit_lines(self.results, self.verdict, table, column)
            self.shown.add((table, column))
        if not lines:
            return []
        return [_figure(title, column, lines[:MOST_LINES], _tightest(limits), total)]

    def _frequency_marks(self, columns: tuple[str, ...]) -> list[dict[str, Any]]:
        marks: list[dict[str, Any]] = []
        for column, word, low in (("f_min_hz", "nadir", True), ("f_max_hz", "zenith", False)):
            if column not in columns:
                continue
            frame = self.results.series("area", column)
            values = frame.to_numpy(dtype=np.float64)
            if np.isnan(values).all() or not values.size:
                continue
            row = int((np.nanargmin if low else np.nanargmax)(values)) // values.shape[1]
            value = float(np.nanmin(values) if low else np.nanmax(values))
            text = f"{word} {quantity(value, 'Hz')}"
            marks.append({"t_s": float(frame.index[row]), "y": value, "text": text, "below": low})
        if "rocof_hz_per_s" in columns and "f_hz" in columns:
            rate = self.results.series("area", "rocof_hz_per_s")
            values = np.abs(rate.to_numpy(dtype=np.float64))
            if values.size and not np.isnan(values).all() and np.nanmax(values) > 0.0:
                row, area = divmod(int(np.nanargmax(values)), values.shape[1])
                f_hz = float(self.results.series("area", "f_hz").iloc[row, area])
                text = f"RoCoF {number(float(rate.iloc[row, area]), 2)} Hz/s"
                marks.append({"t_s": float(rate.index[row]), "y": f_hz, "text": text, "below": False})
        return marks


def _figure(title: str, column: str, lines: list[Line], limits: list[dict[str, Any]], total: int) -> Figure:
    caption = f"{len(lines)} of {total}: those that move most" if total > len(lines) else ""
    return Figure(title, symbol(column), lines, limits, caption=caption)


def _coloured(figure: Figure, units: dict[str, int]) -> None:
    """Give a unit the same colour in every plot that shows nothing but units."""
    if all(line.name in units for line in figure.lines):
        for line in figure.lines:
            line.colour = units[line.name]


def _tightest(limits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return limits without repetitions, per side and severity the innermost."""
    best: dict[tuple[str, str], dict[str, Any]] = {}
    for limit in limits:
        key = (limit["side"], limit["severity"])
        kept = best.get(key)
        sign = 1.0 if limit["side"] == "low" else -1.0
        if kept is None or sign * limit["y"] > sign * kept["y"]:
            best[key] = limit
    fails = {(side, limit["y"]) for (side, severity), limit in best.items() if severity == "fail"}
    return [
        limit
        for (side, severity), limit in best.items()
        if severity == "fail" or (side, limit["y"]) not in fails
    ]


def _words(column: str) -> str:
    """Return a column's name without its unit, in words."""
    parts = column.split("_")
    cut = next((i for i in range(len(parts)) if "_".join(parts[i:]) in UNITS), len(parts))
    words = ("_".join(parts[:cut]) or column).removeprefix("p_").replace("_", " ")
    return {"p": "active power", "q": "reactive power"}.get(words, words)
