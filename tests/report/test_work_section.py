import json
import re

import pytest
from made_run import made_run
from made_work import EVENTS, SCENARIO, job, made_work, told
from page_data import data_of

from cosim.kpi import compute
from cosim.report import page
from cosim.report.moves import flows, trips
from cosim.report.work_map import places_of
from cosim.results import Event
from cosim.verdict import judge


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return made_work(tmp_path_factory.mktemp("work") / "run")


@pytest.fixture(scope="module")
def html(run):
    return page(run, judge(run, []))


def section(text):
    return text.split('<section id="work">')[1].split("</section>")[0]


@pytest.mark.parametrize(
    ("kpi", "at", "value"),
    [
        ("jobs_ended_count", None, 3.0),
        ("jobs_late_count", None, 1.0),
        ("jobs_failed_count", "east", 3.0),
        ("jobs_moved_count", None, 2.0),
        ("job_work_gpu_h", "west", 1000.0),
        ("job_overhead_gpu_h", None, 100.0 / 6.0),
        ("job_lost_gpu_h", None, 60.0),
        ("tokens_count", None, 3e8),
        ("unanswered_share_pu", None, 0.25),
        ("latency_max_ms", None, 12.0),
        ("data_moved_gb", "west", 6000.0),
        ("network_energy_mwh", None, 0.06),
        ("network_cost_cny", "west", 200.0),
        ("tokens_count", "chat", 3e8),
        ("unanswered_share_pu", "chat", 0.25),
        ("unanswered_tokens_count", None, 6e7),
        ("latency_mean_ms", "chat", 10.0),
        ("latency_max_ms", "chat", 12.0),
        ("ramp_max_mw_per_min", "gate", 90.0),
        ("p_min_mw", "gate", -30.0),
        ("export_max_mw", None, 30.0),
        ("p_min_mw", None, 20.0),
    ],
)
def test_kpis_of_work_are_sums_over_ten_minutes(run, kpi, at, value):
    assert compute(run, kpi, at) == pytest.approx(value, rel=1e-12)


def test_each_trip_ends_as_its_events_say_and_names_its_order(run):
    found = {trip.job: trip for trip in trips(run)}
    assert [found[f"a {n}"].outcome for n in (1, 2, 3)] == ["moved", "rolled back", "under way"]
    assert (found["a 1"].leaves_s, found["a 1"].ends_s) == (110.0, 200.0)
    assert found["a 1"].why == "move ordered at 100 s"
    assert found["a 3"].why == "policy backfill", "it left after the time of the order"
    assert (found["<b>4</b>"].target, found["<b>4</b>"].outcome) == ("waiting", "suspended")


def test_flows_add_up_to_the_trips(run):
    found = trips(run)
    assert sum(flow["trips"] for flow in flows(found)) == len(found) == 4
    assert sum(flow["gpus"] for flow in flows(found)) == 4000.0


def test_a_job_that_leaves_twice_is_two_trips(tmp_path):
    again = (job(550.0, "job_leaves", "a 2"), job(580.0, "job_moved", "a 2"))
    run = made_work(tmp_path / "run", events=(*EVENTS, *again))
    assert [t.outcome for t in trips(run) if t.job == "a 2"] == ["rolled back", "moved"]


def shift(t_s, what, gpus, **data):
    ends = {"service": "chat", "gpus": gpus, "from": "west", "to": "east"}
    return Event(t_s, "west", f"service_{what}", "x", json.dumps(ends | data))


def test_a_service_that_changes_sites_is_a_trip_with_its_reason(tmp_path):
    events = (
        shift(100.0, "leaves", 400.0, why="west is full"),
        shift(160.0, "moved", 700.0, took_s=60.0),
        shift(300.0, "leaves", 100.0, why="east is lost"),
        shift(320.0, "rolled_back", 100.0, why="the copy does not come on"),
    )
    found = trips(made_work(tmp_path / "run", events=events))
    assert [(t.job, t.gpus, t.leaves_s, t.ends_s, t.outcome, t.why) for t in found] == [
        ("service chat", 700.0, 100.0, 160.0, "moved", "west is full"),
        ("service chat", 100.0, 300.0, 320.0, "rolled back", "east is lost"),
    ]


def test_latency_held_is_told_for_each_service_beside_its_bound(html):
    table = section(html).split("<h3>Latency held, tokens served</h3>")[1].split("</table>")[0]
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", table)
    assert cells == ["chat", "15", "10", "12", "300", "60", "25", "held"]


def test_the_page_draws_both_ends_and_the_frequency_on_one_axis(html):
    panels = data_of(html)["work"]["panels"]
    assert [panel["title"] for panel in panels] == ["Power drawn", "Voltage", "Frequency", "Data sent"]
    assert [line["name"] for line in panels[0]["lines"]] == ["west_hall", "east_hall"]


def test_the_map_has_the_sites_where_they_are_and_jobs_between_them(html):
    drawn = data_of(html)["work"]["map"]
    assert drawn["sites"] == ["west", "east"]
    assert drawn["lat"] == [43.25, 29.7]
    assert [trip["job"] for trip in drawn["trips"]] == ["a 1", "a 2", "a 3"]
    assert {110.0, 200.0} <= set(drawn["t_s"])


def test_a_site_of_unknown_place_is_where_its_bus_is(tmp_path):
    run = made_work(tmp_path / "run", scenario=SCENARIO.replace("place: hami", "place: nowhere"))
    assert places_of(run)["west"] == (43.0, 94.0)


def test_the_guards_decisions_are_told_with_what_would_break(html):
    text = section(html)
    assert "1 allowed, 1 in part, 1 not at all" in text
    assert "loading T1 without T2" in text
    assert "134, limit 130 %" in text


def test_the_bound_of_each_service_is_drawn(html):
    figure = next(f for f in data_of(html)["figures"] if f["title"].startswith("Longest network latency"))
    assert [(limit["y"], limit["text"]) for limit in figure["limits"]] == [(15.0, "15 ms, bound of chat")]


def test_names_of_jobs_are_text(html):
    assert "&lt;b&gt;4&lt;/b&gt;" in section(html)
    assert "<b>4</b>" not in html


def test_a_run_without_work_has_no_such_section(tmp_path):

    run = made_run(tmp_path / "run", tables=("bus", "point", "area", "grid"))
    text = page(run, judge(run, []))
    assert data_of(text)["work"] is None
    assert 'id="work"' not in text


def test_a_hand_over_shows_both_ends_without_sites(tmp_path):

    run = made_run(tmp_path / "run")
    text = page(run, judge(run, []))
    assert [panel["title"] for panel in data_of(text)["work"]["panels"]] == [
        "Power drawn",
        "Voltage",
        "Frequency",
    ]
    assert 'id="workpanels"' in section(text)
    assert 'id="workmap"' not in section(text)


def test_a_law_of_a_controller_is_told_with_what_it_promised_and_delivered(tmp_path):
    over = told(
        400.0,
        "gate",
        "law_over",
        "x",
        law="a<b",
        from_s=100.0,
        to_s=400.0,
        promised_mwh=2.0,
        delivered_mwh=1.5,
    )
    run = made_work(tmp_path / "run", events=(over,))
    text = page(run, judge(run, []))
    orders = text.split('<section id="orders">')[1].split("</section>")[0]
    assert re.findall(r"<td[^>]*>([^<]*)</td>", orders) == [
        "gate",
        "a&lt;b",
        "100",
        "400",
        "2",
        "1.5",
        "0.75",
    ]
    assert '<a href="#orders">' in text
