"""The page: one file that needs nothing but a browser."""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cosim.kpi import compute_all
from cosim.kpi.record import recorded
from cosim.report import flexibility, head, tables, work
from cosim.report.figure import Axis
from cosim.report.moves import trips
from cosim.report.parts import asset, filled, markers, scripts, sections_html
from cosim.report.plots import Plots, Section
from cosim.report.province import province
from cosim.report.series import Pool, points_per_line
from cosim.report.single_line import campus_names, single_lines
from cosim.verdict import Verdict

if TYPE_CHECKING:
    from cosim.results import Results


def write_report(results: "Results", verdict: Verdict, path: Path) -> None:
    """Write the report of a run as one self-contained HTML file, without network access.

    Works for any run: complete or not, with or without storage, hand-over, coordinates.
    """
    path.write_text(page(recorded(results), verdict), encoding="utf-8")


def page(results: "Results", verdict: Verdict) -> str:
    """Return the report as HTML."""
    end_s = float(results.dt_s.index[-1] + results.dt_s.iloc[-1]) if results.dt_s.size else 0.0
    axis = Axis.of(end_s)
    sections = Plots(results, verdict).sections() if results.dt_s.size else []
    lines = sum(len(figure.lines) for section in sections for figure in section.figures)
    pool = Pool(points_per_line(lines))
    sections, work_drawn = _with_work(results, sections, pool, axis)
    figures = [f.packed(pool, axis) for section in sections for f in section.figures]
    kpis = compute_all(results)
    drawn_map = province(results, verdict, pool)
    data = {
        "axis": {"unit": axis.unit, "unit_s": axis.unit_s, "end": end_s / axis.unit_s},
        "start": head.start(results),
        "figures": figures,
        "events": markers(results, axis),
        "first": None if verdict.first is None else verdict.first.t_s,
        "map": drawn_map,
        "work": work_drawn,
        "arrays": pool.packed,
    }
    scenario = results.manifest.get("scenario")
    scenario = scenario if isinstance(scenario, dict) else {}
    order_table, campuses = flexibility.order_table(results), single_lines(results)
    parts = {
        "title": escape(head.title(results)),
        "tone": "holds" if verdict.passed else "fails",
        "badge": head.badge(verdict),
        "headline": head.headline(verdict, head.start(results)),
        "facts": head.facts(results, end_s),
        "tiles": head.tiles(kpis),
        "navigation": _navigation(
            sections,
            with_map=drawn_map is not None,
            with_orders=bool(order_table),
            campuses=campus_names(results),
        ),
        "map": asset("map.html") if drawn_map is not None else "",
        "sections": sections_html(sections),
        "campuses": campuses,
        "orders": order_table,
        "verdict_rows": tables.verdict_rows(verdict),
        "kpi_rows": tables.kpi_rows(kpis),
        "event_rows": tables.event_rows(results),
        "provenance": tables.provenance_html(results),
        "scenario": escape(str(scenario.get("text", ""))),
        "run": tables.nested(_about_the_run(results)),
        "style": asset("page.css"),
        **scripts(data, "map.js", "page.js", "work.js"),
    }
    return filled(asset("page.html"), parts)


def _with_work(
    results: "Results", sections: list[Section], pool: Pool, axis: Axis
) -> tuple[list[Section], dict[str, Any] | None]:
    """Return sections with the drawings and tables of work that moves, and what its script draws."""
    if not sections or not work.has_work(results):
        return sections, None
    found = trips(results)
    drawn = work.work_data(results, pool, axis, found)
    if sections[0].id != "work":
        sections = [Section("work", work.WORK_TITLE), *sections]
    sections[0].lead = work.work_html(results, drawn, found)
    return sections, drawn


def _navigation(
    sections: list[Section], *, with_map: bool, with_orders: bool, campuses: tuple[str, ...]
) -> str:
    links = [("verdict", "Verdict")] + ([("map", "Map")] if with_map else [])
    links += [(f"campus_{name}", f"Campus {name}") for name in campuses]
    links += [(s.id, s.title) for s in sections] + ([("orders", "Orders")] if with_orders else [])
    links += [("kpis", "KPIs"), ("events", "Events")]
    links += [("sources", "Assumptions and sources")]
    return " ".join(f'<a href="#{anchor}">{escape(title)}</a>' for anchor, title in links)


def _about_the_run(results: "Results") -> dict[str, Any]:
    skipped = ("scenario", "grid", "provenance", "units")
    about = {k: v for k, v in results.manifest.items() if k not in skipped}
    scenario = results.manifest.get("scenario")
    if isinstance(scenario, dict):
        about["scenario"] = {k: v for k, v in scenario.items() if k != "text"}
    return about
