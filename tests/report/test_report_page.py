import base64
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from made_run import COLUMNS, SCENARIO, made_run
from page_data import data_of

from cosim.report import write_report
from cosim.report.province import frame_rows
from cosim.results import Event, TableSpec, Writer, load
from cosim.verdict import judge

MOST_BYTES = 3_000_000
HOSTILE = "<script>alert('x')</script> & \"park\""


class Reader(HTMLParser):
    """Collects what a browser would load, the ids, and the text outside scripts and styles."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.loads, self.ids, self.text, self.scripts = [], set(), [], 0
        self._inside = ""

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self._inside = tag if tag in ("script", "style") else ""
        self.scripts += tag == "script"
        self.ids.add(given.get("id"))
        loaded = given.get("src") or (given.get("href") if tag == "link" else None)
        if loaded and not loaded.startswith("data:"):
            self.loads.append(loaded)

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if not self._inside:
            self.text.append(data)


def read(path):
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader


@pytest.fixture(scope="module")
def failing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    run = made_run(folder / "run", trip_at_s=600.0, rename={"huaibei": HOSTILE})
    path = folder / "report.html"
    write_report(run, judge(run, ["cn"]), path)
    return path


def test_the_page_is_one_file_that_loads_nothing_and_stays_under_three_megabytes(failing):
    assert read(failing).loads == []
    assert failing.stat().st_size < MOST_BYTES
    style = re.search(r"<style>(.*?)</style>", failing.read_text(encoding="utf-8"), re.S)[1]
    assert "url(" not in style
    assert "@import" not in style


def test_every_section_is_there(failing):
    wanted = {"map", "points", "frequency", "loading", "halls", "storage", "moves"}
    wanted |= {"verdict", "kpis", "events", "sources"}
    assert wanted <= read(failing).ids


def test_the_head_names_the_first_violation_its_cause_and_its_margin(failing):
    text = " ".join("".join(read(failing).text).split())
    assert "FAILS" in text
    assert (
        "First violation: Line loading: 116.6 % at bengbu_huaibei_2 (line, 220 kV) at 600 s (20:10:00)"
        in text
    )
    assert "beyond it by 16.6 %" in text
    assert "Cause: after migrate of move" in text


def test_names_and_scenario_text_are_shown_and_never_executed(failing):
    reader = read(failing)
    assert reader.scripts == 4  # plotly, the data, the page's own, and what unpacks them
    assert HOSTILE in "".join(reader.text)
    assert SCENARIO.strip() in "".join(reader.text)
    assert "<script>alert" not in failing.read_text(encoding="utf-8")
    assert HOSTILE in json.dumps(data_of(failing.read_text("utf-8")), ensure_ascii=False).replace('\\"', '"')


def test_unconfirmed_limits_are_marked_and_have_their_clause(failing):
    text = " ".join(read(failing).text)
    assert "(unconfirmed)" in text
    assert "GB/T 12325-2008 4.1" in text


def test_evidence_shares_sources_and_versions_are_told(failing):
    text = " ".join(read(failing).text)
    assert "published 41 %" in text
    assert "GEM 2023 plant list" in text
    assert "3.6.0" in text


def figures(path):
    return {figure["title"]: figure for figure in data_of(path.read_text("utf-8"))["figures"]}


def test_limits_are_drawn_where_they_apply(failing):
    drawn = figures(failing)
    voltages = {limit["y"] for limit in drawn["Voltage at connection points"]["limits"]}
    assert {0.9, 1.1} <= voltages
    assert {limit["y"] for limit in drawn["Frequency"]["limits"]} >= {49.8, 50.2}
    assert 100.0 in {limit["y"] for limit in drawn["Loading of the ten most loaded branches"]["limits"]}
    assert 90.0 in {limit["y"] for limit in drawn["Hottest die"]["limits"]}
    assert drawn["State of charge"]["limits"] == []


def test_three_winding_transformers_are_among_the_worst_branches(tmp_path):
    run = made_run(tmp_path / "run", loading3w_percent=130.0, end_s=300.0)
    write_report(run, judge(run, ["cn"]), tmp_path / "report.html")
    drawn = figures(tmp_path / "report.html")["Loading of the ten most loaded branches"]
    assert "bengbu_3w" in {line["name"] for line in drawn["lines"]}
    assert not [title for title in figures(tmp_path / "report.html") if title.startswith("trafo3w")]


def test_the_map_counts_frequency_from_the_nominal_of_the_grid(tmp_path):
    run = made_run(tmp_path / "run", f_nominal_hz=60.0, end_s=300.0)
    write_report(run, judge(run, ["cn"]), tmp_path / "report.html")
    data = data_of((tmp_path / "report.html").read_text("utf-8"))
    drawn = np.frombuffer(base64.b64decode(data["arrays"][data["map"]["sums"]["f"]]), "<f4")
    assert data["map"]["f_nominal"] == 60.0
    assert drawn.min() == pytest.approx(-0.06, abs=1e-6)  # the swing of the made-up run


def test_doubts_of_the_run_stand_in_the_head_and_in_the_table(tmp_path):
    said = Event(100.0, "grid", "cross_check", "voltages differ from pandapower's by 0.02 pu")
    run = made_run(tmp_path / "run", events=(said,), end_s=300.0)
    write_report(run, judge(run, ["cn"]), tmp_path / "report.html")
    text = " ".join("".join(read(tmp_path / "report.html").text).split())
    assert "PASSES" in text
    assert text.count("Results not confirmed by pandapower") == 2


def test_nadir_zenith_and_rocof_are_marked(failing):
    marks = " ".join(mark["text"] for mark in figures(failing)["Frequency"]["marks"])
    assert "nadir 49.9300 Hz" in marks
    assert "zenith 50.0200 Hz" in marks
    assert "RoCoF" in marks


def test_drawn_values_are_those_of_the_run(failing):
    data = data_of(failing.read_text("utf-8"))
    line = next(x for x in figures(failing)["Power drawn"]["lines"] if x["name"] == "hefei")
    values = np.frombuffer(base64.b64decode(data["arrays"][line["y"]]), "<f4")
    times = np.frombuffer(base64.b64decode(data["arrays"][line["x"]]), "<f4")
    assert (values[0], values[-1]) == (600.0, 200.0)
    assert times[-1] == pytest.approx(1200.0 / 60.0)  # the last value holds to the end


def test_the_map_stops_at_actions_and_violations(failing):
    drawn = data_of(failing.read_text("utf-8"))["map"]
    assert {60.0, 600.0} <= set(drawn["t_s"])
    assert drawn["t_s"][drawn["start"]] == 600.0
    assert 60 <= len(drawn["t_s"]) <= 70
    assert drawn["at"]["hefei_500"] == ["hefei"]


def test_slider_rows_are_unique_and_within_the_run():
    rows = frame_rows(np.arange(0.0, 1000.0), [0.5, 999.0, 5000.0])
    assert len(set(rows.tolist())) == rows.size
    assert rows.min() == 0
    assert rows.max() == 999


@pytest.mark.parametrize(
    "missing", ["bus", "battery", "handover", "gpu_hall", "area", "grid", "point", "line"]
)
def test_the_page_does_without_any_one_table(tmp_path, missing):
    run = made_run(tmp_path / "run", tables=tuple(t for t in COLUMNS if t != missing), end_s=300.0)
    write_report(run, judge(run, ["cn"]), tmp_path / "report.html")
    assert data_of((tmp_path / "report.html").read_text("utf-8"))["figures"]


def test_a_strangers_component_is_plotted_by_the_units_of_its_ports(tmp_path):
    spec = TableSpec(("e1", "e2"), ("p_mw", "hydrogen_kg", "stack_temp_degc"))
    writer = Writer(tmp_path, {"electrolyser": spec})
    for t_s in range(5):
        row = {
            "p_mw": np.array([1.0, 2.0]),
            "hydrogen_kg": np.full(2, t_s),
            "stack_temp_degc": np.full(2, 60.0),
        }
        writer.append(float(t_s), 1.0, {"electrolyser": row})
    writer.add_events([Event(0.0, "e1", "note", "hello")])
    writer.close()
    (tmp_path / "manifest.json").write_text('{"status": "complete"}', encoding="utf-8")
    run = load(tmp_path)
    write_report(run, judge(run, ["cn"]), tmp_path / "report.html")
    titles = figures(tmp_path / "report.html")
    assert "Power drawn" in titles
    assert titles["electrolyser: hydrogen"]["unit"] == "kg"
    assert titles["electrolyser: stack temp"]["unit"] == "°C"


def test_units_at_rest_are_named_not_drawn_and_the_two_areas_that_moved_most_are_told(tmp_path):
    areas, units = ("calm", "north", "west"), ("hall", "site")
    columns = ("f_hz", "p_imbalance_mw")
    tables = {"area": TableSpec(areas, columns), "point": TableSpec(units, ("vm_pu", "f_hz", "p_mw"))}
    point = {"vm_pu": np.ones(2), "f_hz": np.full(2, 50.0), "p_mw": np.array([5.0, 0.0])}
    writer = Writer(tmp_path, tables)
    for t_s, hit in ((0.0, 0.0), (1.0, 1.0), (2.0, 1.0)):
        area = {"f_hz": 50.0 + hit * np.array([0.0, -0.1, 0.2]), "p_imbalance_mw": hit * np.arange(3.0)}
        writer.append(t_s, 1.0, {"area": area, "point": point})
    writer.close()
    (tmp_path / "manifest.json").write_text('{"status": "complete"}', encoding="utf-8")
    run = load(tmp_path)
    write_report(run, judge(run, []), tmp_path / "report.html")
    drawn = figures(tmp_path / "report.html")
    assert [line["name"] for line in drawn["Power drawn"]["lines"]] == ["hall"]
    assert drawn["Power drawn"]["caption"] == "zero throughout: site"
    told = [title for title in drawn if title.startswith("Imbalance")]
    assert told == ["Imbalance and who answered, west", "Imbalance and who answered, north"]


@pytest.mark.parametrize("end_s", [0.0, 5.0])
def test_a_run_that_broke_early_still_has_a_page(tmp_path, end_s):
    run = made_run(tmp_path / "run", end_s=end_s, status="failed")
    write_report(run, judge(run, ["cn"]), tmp_path / "report.html")
    assert "INCOMPLETE" in " ".join(read(tmp_path / "report.html").text)


def test_exchanges_without_solution_leave_gaps_and_valid_json(tmp_path):
    run = made_run(tmp_path / "run", unsolved_s=(100.0, 105.0), end_s=300.0)
    write_report(run, judge(run, ["cn"]), tmp_path / "report.html")
    data = data_of((tmp_path / "report.html").read_text("utf-8"))
    assert any(event["t_s"] == 100.0 for event in data["events"])
    assert "NaN" not in json.dumps(data)


def test_a_hundred_units_still_fit(tmp_path):
    names = tuple(f"hall_{i}" for i in range(100))
    columns = COLUMNS["gpu_hall"]
    writer = Writer(tmp_path, {"gpu_hall": TableSpec(names, columns)})
    random = np.random.default_rng(1)
    for t_s in range(2000):
        writer.append(float(t_s), 1.0, {"gpu_hall": {c: random.random(100) for c in columns}})
    writer.close()
    (tmp_path / "manifest.json").write_text('{"status": "complete"}', encoding="utf-8")
    run = load(tmp_path)
    write_report(run, judge(run, []), tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < MOST_BYTES
    assert figures(tmp_path / "report.html")["Power drawn"]["caption"] == "12 of 100: those that move most"
