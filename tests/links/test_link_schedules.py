"""Both ends of a link follow one schedule: what one province receives, another sends, less the losses."""

import csv
from functools import cache

import pytest
import yaml

from grids.case import CASES, case_folder, load_case
from grids.links.catalogue import link_catalogue
from grids.links.schedules import link_of, link_schedules
from grids.recipe.plan import read_plan

HOURS = {"winter_evening_peak": 1400, "summer_evening_peak": 1500, "spring_noon": 2400, "night_valley": 3460}
PROVINCES = sorted(path.parent.name for path in CASES.glob("*/recipe.yaml"))
OF_ONE_CASE = {"Zhangbei 4-terminal VSC"}
"""All its terminals are in Jing-Jin-Ji."""


@cache
def ends(case: str, point: str) -> dict[str, float]:
    """Return what each link injects into a case [MW], all its layers."""
    sgen = load_case(case, point).net.sgen
    dc = sgen[sgen["type"] == "dc"]
    return dict(dc.groupby(dc["name"].map(link_of))["p_mw"].sum())


@cache
def cases_of(link: str) -> tuple[list[str], list[str]]:
    """Return the cases a link begins in, and those it ends in."""
    plans = {case: read_plan(case_folder(case) / "recipe.yaml") for case in PROVINCES}
    return [c for c in PROVINCES if link in plans[c].sends], [
        c for c in PROVINCES if link in plans[c].receives
    ]


@pytest.mark.parametrize("link", sorted(link_schedules()))
def test_both_ends_of_a_link_agree_within_its_losses_at_every_point_and_over_the_year(link: str) -> None:
    schedule = link_schedules()[link]
    sends, receives = cases_of(link)
    assert len(sends) <= 1
    assert len(receives) <= 1
    assert sends + receives
    most_pu = schedule.link.loss_percent / 100.0
    year_mwh = [0.0, 0.0]
    for point, hours in HOURS.items():
        wanted = schedule.ends_mw(point)
        for side, case in enumerate((sends, receives)):
            if case:
                assert ends(case[0], point)[link] == pytest.approx(wanted[side], abs=0.11), (case, point)
            year_mwh[side] += hours * wanted[side]
        sent, arrived = -min(wanted), max(wanted)
        assert sent <= schedule.link.sn_mw
        assert (1.0 - most_pu) * sent - 0.1 <= arrived <= 0.9925**2 * sent + 0.1
    if schedule.annual_twh is not None:
        assert -year_mwh[0] / 1e6 == pytest.approx(schedule.annual_twh, rel=0.02)
        assert schedule.evidence in {"published", "derived"}


@pytest.mark.parametrize("case", PROVINCES)
def test_every_link_of_a_province_has_its_schedule_from_the_table_and_points_the_same_hours(
    case: str,
) -> None:
    plan = read_plan(case_folder(case) / "recipe.yaml")
    assert {*plan.sends, *plan.receives} | OF_ONE_CASE >= set(ends(case, "spring_noon"))
    for point, hours in HOURS.items():
        path = case_folder(case) / "operating_points" / point / "point.yaml"
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["stands_for_h"] == hours


def test_a_case_says_of_a_link_what_the_catalogue_says() -> None:
    known = {link.name: link for link in link_catalogue()}
    for path in CASES.glob("*/links.csv"):
        for row in csv.DictReader(path.open(encoding="utf-8")):
            link = known[row["name"]]
            said = [float(row[c]) for c in ("sn_mw", "poles", "vn_kv", "length_km", "loss_percent")]
            assert said == [link.sn_mw, link.poles_count, link.vn_kv, link.length_km, link.loss_percent], path


def test_a_link_that_runs_backwards_delivers_at_its_first_end() -> None:
    at_deyang, at_baoji = link_schedules()["Debao"].ends_mw("winter_evening_peak")
    assert at_baoji < 0.0 < at_deyang < -at_baoji


def test_every_schedule_says_where_it_comes_from() -> None:
    for schedule in link_schedules().values():
        assert schedule.evidence in {"published", "derived", "synthetic"}
        assert schedule.source
