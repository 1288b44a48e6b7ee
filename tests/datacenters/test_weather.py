"""Weather: a warm afternoon, a cool dawn, the right month, and files of the user's."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from pydantic import ValidationError

from cosim.core.component import Context
from cosim.testing import check_component
from datacenters.data import table
from datacenters.weather import Weather, WeatherParams, sites

HEFEI = ZoneInfo("Asia/Shanghai")
DAY_S = 86_400.0


def weather(start, *params):
    unit = Weather([WeatherParams(**p) for p in params])
    unit.reset(Context(start=start))
    return unit


def temps(unit, t_s, dt_s):
    return unit.step(t_s, dt_s, {})["temp_outdoor_degc"]


def test_weather_keeps_the_contract():
    units = [WeatherParams(site="hefei"), WeatherParams(site="huaibei", offset_k=5.0)]
    assert list(check_component(Weather, units, dt_s=900.0)) == []


@pytest.mark.parametrize("site", sites())
@pytest.mark.parametrize("month", [1, 4, 7, 10])
def test_mid_month_has_the_mean_of_its_month(site, month):
    unit = weather(datetime(2025, month, 16, 0, 0, tzinfo=HEFEI), {"site": site})
    expected = float(table("site_temperatures")[site][f"month{month:02d}_degc"])
    # the mean stands at the middle of the month; lines to its neighbours bend it by less than 0.3 K
    assert temps(unit, 0.0, DAY_S)[0] == pytest.approx(expected, abs=0.3)


@pytest.mark.parametrize(("site", "hottest_h"), [("hefei", 15.2), ("hohhot", 15.55), ("chongqing", 15.9)])
def test_it_is_hottest_at_three_in_the_afternoon_by_the_sun(site, hottest_h):
    # mid-July: the mean hardly drifts within the day; four minutes later per degree west of 120 E
    unit = weather(datetime(2025, 7, 16, 0, 0, tzinfo=HEFEI), {"site": site})
    hours = np.arange(0.0, 24.0, 0.05)
    day = np.array([temps(unit, h * 3600.0, 180.0)[0] for h in hours])
    assert hours[np.argmax(day)] == pytest.approx(hottest_h, abs=0.15)
    assert np.ptp(day) == pytest.approx(float(table("site_temperatures")[site]["swing_k"]), abs=0.2)


def test_the_day_follows_the_instant_not_the_zone_it_is_written_in():
    start = datetime(2025, 8, 5, 20, 0, tzinfo=HEFEI)
    here, there = (
        weather(start, {"site": "hefei"}),
        weather(start.astimezone(ZoneInfo("UTC")), {"site": "hefei"}),
    )
    for hour in range(0, 48, 5):
        assert temps(here, hour * 3600.0, 60.0)[0] == pytest.approx(
            temps(there, hour * 3600.0, 60.0)[0], abs=1e-9
        )


def test_new_year_has_no_jump():
    unit = weather(datetime(2025, 12, 31, 23, 0, tzinfo=HEFEI), {"site": "huaibei"})
    series = [temps(unit, minute * 60.0, 60.0)[0] for minute in range(120)]
    assert np.max(np.abs(np.diff(series))) < 0.03  # K per minute: a range of 10 K a day makes 0.022


def test_a_heat_wave_is_added():
    start = datetime(2025, 8, 5, tzinfo=HEFEI)
    usual, hot = temps(weather(start, {"site": "hefei"}, {"site": "hefei", "offset_k": 6.0}), 0.0, 60.0)
    assert hot - usual == pytest.approx(6.0)


def test_a_mean_of_an_hour_is_the_mean_of_its_minutes():
    unit = weather(datetime(2025, 5, 1, 6, 0, tzinfo=HEFEI), {"site": "nanjing"})
    minutes = [temps(unit, minute * 60.0, 60.0)[0] for minute in range(60)]
    assert temps(unit, 0.0, 3600.0)[0] == pytest.approx(np.mean(minutes), abs=1e-9)


def test_an_own_file_is_followed(tmp_path):
    file = tmp_path / "station.csv"
    file.write_text("time,temp_outdoor_degc\n2025-08-05 20:00,30\n2025-08-05 22:00,26\n", encoding="utf-8")
    unit = weather(datetime(2025, 8, 5, 20, 0, tzinfo=HEFEI), {"file": file, "offset_k": 1.0})
    assert temps(unit, 3600.0, 1800.0)[0] == pytest.approx(28.5)
    assert unit.uncovered(7200.0) == []
    assert len(unit.uncovered(7201.0)) == 1


def test_an_unknown_site_is_refused_with_those_there_are():
    with pytest.raises(ValidationError, match="unknown site 'atlantis'; built in are hefei, huaibei"):
        WeatherParams(site="atlantis")


def test_a_site_may_be_written_with_a_capital():
    assert WeatherParams(site="Hefei") == WeatherParams(site="hefei")
