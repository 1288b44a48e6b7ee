"""Profiles: exact means, the right hour of the day, and a run that starts at the operating point."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pydantic import ValidationError

from cosim.core.component import Context
from cosim.core.errors import ScenarioError
from cosim.testing import check_component
from datacenters.data import table
from datacenters.data.series import Series
from datacenters.profile import Profile, ProfileParams, day_shape, shapes

HEFEI = ZoneInfo("Asia/Shanghai")
EVENING = datetime(2025, 8, 5, 20, 0, tzinfo=HEFEI)


def profile(start=EVENING, **params):
    unit = Profile([ProfileParams(**params)])
    unit.reset(Context(start=start))
    return unit


def scale(unit, t_s, dt_s=1e-3):
    return float(unit.step(t_s, dt_s, {})["scale_pu"][0])


def test_profile_keeps_the_contract():
    units = [ProfileParams(shape="anhui_load_summer"), ProfileParams(shape="anhui_wind_spring")]
    assert list(check_component(Profile, units, dt_s=900.0)) == []


@pytest.mark.parametrize("shape", [s for s in shapes() if "pv" not in s])
def test_a_run_starts_at_the_operating_point(shape):
    # the mean of the first millisecond is the value at t = 0 within its slope
    assert scale(profile(shape=shape), 0.0) == pytest.approx(1.0, abs=1e-6)


def test_the_load_of_the_peak_day_peaks_at_nine_in_the_evening_local_time():
    unit = profile(shape="anhui_load_summer_peak_day", relative_to="absolute")
    by_hour = [scale(unit, hour * 3600.0) for hour in range(24)]
    assert np.argmax(by_hour) == 1  # the run starts at 20:00
    assert by_hour[1] == pytest.approx(1.0, abs=1e-6)


def test_the_same_instant_in_another_zone_gives_the_same_day():
    noon_utc = EVENING.astimezone(ZoneInfo("UTC"))
    here, there = profile(shape="anhui_wind_spring"), profile(noon_utc, shape="anhui_wind_spring")
    assert_allclose(
        [scale(here, t) for t in range(0, 86400, 1800)], [scale(there, t) for t in range(0, 86400, 1800)]
    )


@pytest.mark.parametrize("season", ["spring", "summer", "autumn", "winter"])
def test_the_sun_is_highest_near_solar_noon_over_anhui(season):
    start = datetime(2025, 1, 1, tzinfo=HEFEI)
    pv = day_shape(f"anhui_pv_{season}", start)
    hours = np.arange(0.0, 24.0, 0.05)
    values = np.array([pv.value(h * 3600.0) for h in hours])
    # solar noon at 117 E is 12:12 in the zone of 120 E, the equation of time moves it by up to 16 min
    assert np.average(hours, weights=values) == pytest.approx(12.2, abs=0.3)
    assert pv.value(0.0) == 0.0


def test_pv_cannot_be_relative_to_the_night():
    with pytest.raises(ScenarioError, match=r"shape anhui_pv_summer is 0 at 2025-08-05 20:00 CST"):
        profile(shape="anhui_pv_summer")
    assert scale(profile(shape="anhui_pv_summer", relative_to="peak"), 16 * 3600.0) > 0.9


def test_every_built_in_number_says_where_it_is_from():
    for name in ("day_shapes", "inference_statistics", "inference_services", "site_climates"):
        for row in table(name).values():
            assert len(row["source"]) > 20
            assert any(
                word in row["status"] for word in ("published", "computed", "derived", "(unconfirmed)")
            )


def test_an_unknown_shape_is_refused_with_those_there_are():
    with pytest.raises(ValidationError, match=r"unknown shape 'anhui_pv'; built in are .*anhui_pv_summer"):
        ProfileParams(shape="anhui_pv")
    with pytest.raises(ValidationError, match="either `shape` or `file`"):
        ProfileParams()


rows = st.lists(st.tuples(st.floats(0.1, 50.0), st.floats(-10.0, 10.0)), min_size=2, max_size=8)


@settings(deadline=None)
@given(
    rows=rows,
    how=st.sampled_from(["linear", "hold"]),
    repeats=st.booleans(),
    cuts=st.lists(st.floats(0, 1), max_size=5),
)
def test_the_mean_of_a_span_is_the_mean_of_its_parts(rows, how, repeats, cuts):
    times_s = np.cumsum([gap for gap, _ in rows])
    values = np.array([value for _, value in rows])
    period_s = times_s[-1] - times_s[0] + 7.0 if repeats else None
    series = Series(times_s, values, how, period_s)
    begin = times_s[0] - 100.0 if repeats else times_s[0]
    edges = begin + np.sort([0.0, 1.0, *cuts]) * (300.0 if repeats else series.end_s - begin)
    parts = [series.mean(a, b) * (b - a) for a, b in pairwise(edges) if b - a > 1e-6]
    whole = series.mean(edges[0], edges[-1])
    # spans under a microsecond are left out: they weigh less than the tolerance
    assert sum(parts) / (edges[-1] - edges[0]) == pytest.approx(whole, abs=1e-5)


def test_a_straight_line_has_its_middle_as_mean_and_a_held_value_itself():
    times_s, values = np.array([0.0, 10.0, 20.0]), np.array([0.0, 10.0, 0.0])
    assert Series(times_s, values, "linear").mean(0.0, 20.0) == 5.0
    assert Series(times_s, values, "linear").mean(2.0, 4.0) == 3.0
    held = Series(times_s, values, "hold")
    assert (held.mean(12.0, 14.0), held.mean(5.0, 15.0), held.end_s) == (10.0, 5.0, 30.0)


def test_a_repeating_series_repeats_exactly():
    series = Series(np.array([0.0, 6.0, 18.0]), np.array([1.0, 3.0, 2.0]), "linear", 24.0)
    assert series.value(20.0 + 24.0 * 5) == pytest.approx(series.value(20.0), rel=1e-12)
    assert series.mean(-24.0 * 3, 24.0 * 4) == pytest.approx(series.average(), rel=1e-12)
