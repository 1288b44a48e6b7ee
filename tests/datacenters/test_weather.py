"""Weather: a warm afternoon, a cool dawn, the right month, vapour and sun, and files of the user's."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from pydantic import ValidationError

from cosim.core.component import Context
from cosim.core.errors import ScenarioError
from cosim.testing import check_component
from datacenters.climate import design_day, sites
from datacenters.data import table
from datacenters.kernels import psychrometrics, sky
from datacenters.weather import Weather, WeatherParams

HEFEI = ZoneInfo("Asia/Shanghai")
DAY_S = 86_400.0


def weather(start, *params):
    unit = Weather([WeatherParams(**p) for p in params])
    unit.reset(Context(start=start))
    return unit


def temps(unit, t_s, dt_s):
    return unit.step(t_s, dt_s, {})["temp_outdoor_degc"]


@pytest.mark.parametrize("dt_s", [60.0, 3600.0])  # at saturation wet bulb has a kink
def test_weather_keeps_the_contract(dt_s):
    units = [WeatherParams(site="hefei"), WeatherParams(site="huaibei", offset_k=5.0)]
    assert list(check_component(Weather, units, dt_s=dt_s)) == []


@pytest.mark.parametrize("site", sites())
@pytest.mark.parametrize("month", [1, 4, 7, 10])
def test_mid_month_has_the_mean_of_its_month(site, month):
    unit = weather(datetime(2025, month, 16, 0, 0, tzinfo=HEFEI), {"site": site})
    expected = float(table("site_climates")[site][f"month{month:02d}_degc"])
    # the mean stands at the middle of the month; lines to its neighbours bend it by less than 0.3 K
    assert temps(unit, 0.0, DAY_S)[0] == pytest.approx(expected, abs=0.3)


@pytest.mark.parametrize(("site", "hottest_h"), [("hefei", 15.2), ("hohhot", 15.55), ("chongqing", 15.9)])
def test_it_is_hottest_at_three_in_the_afternoon_by_the_sun(site, hottest_h):
    # mid-July: the mean hardly drifts within the day; four minutes later per degree west of 120 E
    unit = weather(datetime(2025, 7, 16, 0, 0, tzinfo=HEFEI), {"site": site})
    hours = np.arange(0.0, 24.0, 0.05)
    day = np.array([temps(unit, h * 3600.0, 180.0)[0] for h in hours])
    assert hours[np.argmax(day)] == pytest.approx(hottest_h, abs=0.15)
    assert np.ptp(day) == pytest.approx(float(table("site_climates")[site]["swing_k"]), abs=0.2)


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
    with pytest.raises(ValidationError, match="Did you mean 'jinan'"):
        WeatherParams(site="jinann")


def test_a_site_may_be_written_with_a_capital():
    assert WeatherParams(site="Hefei") == WeatherParams(site="hefei")


def air(unit, t_s, dt_s=3600.0):
    return {name: float(values[0]) for name, values in unit.step(t_s, dt_s, {}).items()}


@pytest.mark.parametrize("site", sites())
def test_air_is_never_wetter_than_saturated_nor_its_wet_bulb_above_it(site):
    unit = weather(datetime(2025, 1, 1, tzinfo=HEFEI), {"site": site})
    for day in range(0, 365, 13):
        for hour in (2, 8, 14, 20):
            now = air(unit, day * DAY_S + hour * 3600.0)
            assert now["temp_wetbulb_degc"] <= now["temp_outdoor_degc"] + 1e-9
            assert 1.0 < now["humidity_percent"] <= 100.0
            assert 0.0 <= now["ghi_w_per_m2"] < 1100.0
            assert 0.8 < now["pressure_bar"] < 1.02


@pytest.mark.parametrize("site", ["hefei", "hami", "zhongwei", "shaoguan"])
def test_july_at_two_in_the_afternoon_has_the_vapour_of_its_normals(site):
    row = table("site_climates")[site]
    now = air(weather(datetime(2025, 7, 16, 13, 30, tzinfo=HEFEI), {"site": site}), 0.0)
    humidity = psychrometrics.humidity_at_wet_bulb(
        now["temp_outdoor_degc"], now["temp_wetbulb_degc"], now["pressure_bar"]
    )
    expected = psychrometrics.humidity_at(
        float(row["summer_degc"]), 0.01 * float(row["summer_percent"]), now["pressure_bar"]
    )
    assert humidity == pytest.approx(expected, rel=2e-3)


def test_derived_months_of_yinchuan_are_those_published():
    # China Meteorological Administration, January and July 1971-2000; others 1991-2020, about 1 K warmer
    row = table("site_climates")["yinchuan"]
    for month, degc, bar in ((1, -7.9, 0.1), (7, 23.5, 0.2), (4, 12.4, 1.0), (5, 17.5, 1.0), (9, 17.2, 1.0)):
        assert float(row[f"month{month:02d}_degc"]) == pytest.approx(degc, abs=bar)


@pytest.mark.parametrize(
    ("site", "below_k"), [("hefei", (1.0, 6.0)), ("hami", (0.5, 6.0)), ("zhongwei", (0.5, 6.0))]
)
def test_the_hottest_hour_of_a_typical_year_lies_below_the_design_day(site, below_k):
    unit = weather(datetime(2025, 7, 1, tzinfo=HEFEI), {"site": site})
    hottest = max(air(unit, h * 3600.0)["temp_outdoor_degc"] for h in range(31 * 24))
    least, most = below_k
    assert least < design_day(site).temp_outdoor_degc - hottest < most


def test_zhongwei_has_more_than_300_days_of_free_cooling():
    # published (secondary): more than 300 days; here: 32 °C from a dry cooler of 6 K all day long
    unit = weather(datetime(2025, 1, 1, tzinfo=HEFEI), {"site": "zhongwei"})
    days = [max(temps(unit, (24 * d + h) * 3600.0, 3600.0)[0] for h in range(12, 20)) for d in range(365)]
    assert 300 < np.sum(np.array(days) <= 26.0) < 340


# pvlib 0.16.1: height of the sun by NREL's algorithm, irradiance by `clearsky.haurwitz`
SUN = [
    ("hefei", 117.3, 31.87, datetime(2025, 3, 21, 4, 0, tzinfo=UTC), 58.157, 870.2),
    ("hefei", 117.3, 31.87, datetime(2025, 8, 5, 6, 30, tzinfo=UTC), 56.366, 851.6),
    ("hefei", 117.3, 31.87, datetime(2025, 12, 21, 8, 0, tzinfo=UTC), 11.855, 169.3),
    ("hami", 93.5, 42.82, datetime(2025, 3, 21, 4, 0, tzinfo=UTC), 40.508, 651.3),
    ("hami", 93.5, 42.82, datetime(2025, 6, 21, 2, 0, tzinfo=UTC), 39.601, 638.0),
    ("hami", 93.5, 42.82, datetime(2025, 12, 21, 8, 0, tzinfo=UTC), 16.720, 257.3),
    ("zhongwei", 105.18, 37.53, datetime(2025, 8, 5, 6, 30, tzinfo=UTC), 62.193, 908.5),
    ("zhongwei", 105.18, 37.53, datetime(2025, 11, 3, 5, 0, tzinfo=UTC), 37.177, 601.8),
]


@pytest.mark.parametrize(("_site", "longitude", "latitude", "when", "height", "irradiance"), SUN)
def test_the_sun_stands_and_shines_as_pvlib_says(_site, longitude, latitude, when, height, irradiance):
    year_s = (when - datetime(2025, 1, 1, tzinfo=UTC)).total_seconds()
    sine = sky.sine_of_elevation(year_s, longitude, latitude)
    assert np.degrees(np.arcsin(sine)) == pytest.approx(height, abs=0.45)
    assert sky.clear_sky_w_per_m2(sine) == pytest.approx(irradiance, rel=0.012)


def test_irradiance_of_a_day_is_the_mean_of_its_quarters_of_an_hour():
    unit = weather(datetime(2025, 5, 1, tzinfo=HEFEI), {"site": "hami"})
    parts = [air(unit, k * 900.0, 900.0)["ghi_w_per_m2"] for k in range(96)]
    assert air(unit, 0.0, DAY_S)["ghi_w_per_m2"] == pytest.approx(np.mean(parts), rel=1e-9)


def test_a_heat_wave_leaves_the_vapour_where_it_was():
    start = datetime(2025, 8, 5, 14, 0, tzinfo=HEFEI)
    usual, hot = (air(weather(start, {"site": "hefei", "offset_k": offset}), 0.0) for offset in (0.0, 6.0))
    vapour = [
        psychrometrics.humidity_at(n["temp_outdoor_degc"], 0.01 * n["humidity_percent"], n["pressure_bar"])
        for n in (usual, hot)
    ]
    assert vapour[0] == pytest.approx(vapour[1])
    assert 1.0 < hot["temp_wetbulb_degc"] - usual["temp_wetbulb_degc"] < 3.0


def test_an_own_file_may_bring_humidity_and_sun(tmp_path):
    file = tmp_path / "station.csv"
    file.write_text("t_h,temp_outdoor_degc,rh,sun\n0,30,40,100\n2,30,60,300\n", encoding="utf-8")
    unit = weather(
        datetime(2025, 8, 5, tzinfo=HEFEI),
        {
            "file": file,
            "time_column": "t_h",
            "humidity_column": "rh",
            "ghi_column": "sun",
            "altitude_km": 1.5,
        },
    )
    now = air(unit, 0.0, 7200.0)
    assert now["humidity_percent"] == pytest.approx(50.0)
    assert now["ghi_w_per_m2"] == pytest.approx(200.0)
    assert now["pressure_bar"] == pytest.approx(0.8456, abs=1e-3)  # ICAO standard atmosphere at 1,500 m


def test_columns_are_for_tables_only():
    with pytest.raises(ValidationError, match="humidity_column: a site has its own"):
        WeatherParams(site="hefei", humidity_column="rh")
    with pytest.raises(ValidationError, match="altitude_km: an EPW file has its own"):
        WeatherParams(file="year.epw", altitude_km=1.0)


def epw(path, change=lambda hour, fields: None):
    """Write a year whose dry bulb is the day of the year plus a tenth of the hour (of day, 1 to 24)."""
    lines = ["LOCATION,Made,Up,CHN,TEST,0,40.0,110.0,8.0,1000.0", *["HEADER"] * 7]
    for hour in range(8760):
        when = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
        fields = ["2001", when.month, when.day, when.hour + 1, 60, "?", 0, 9.9, 50, 90_000, 0, 0, 0, 0]
        fields[6] = round(0.1 * (when.timetuple().tm_yday % 100) + 0.01 * (when.hour + 1), 3)
        fields[13] = 10 * (when.hour + 1)
        change(hour, fields)
        lines.append(",".join(map(str, fields)))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_an_epw_year_is_followed_by_date_and_hour_in_its_own_zone(tmp_path):
    unit = weather(
        datetime(2025, 3, 2, 4, 0, tzinfo=UTC), {"file": epw(tmp_path / "year.epw"), "offset_k": 1.0}
    )
    now = air(unit, 0.0)  # 12:00 to 13:00 on 2 March, the 61st day, at UTC+8
    assert now["temp_outdoor_degc"] == pytest.approx(1.0 + 6.1 + 0.125)
    assert now["ghi_w_per_m2"] == pytest.approx(130.0)
    assert now["pressure_bar"] == pytest.approx(0.9)
    later = air(unit, 365.0 * DAY_S)
    assert later == pytest.approx(now)


def test_in_a_leap_year_the_29_of_february_is_the_first_of_march(tmp_path):
    file = epw(tmp_path / "year.epw")
    leap, march = (
        air(weather(datetime(2024, month, day, 4, 0, tzinfo=UTC), {"file": file}), 0.0)
        for month, day in ((2, 29), (3, 1))
    )
    assert leap == pytest.approx(march)


def test_an_epw_file_is_refused_with_lines_and_values(tmp_path):
    def spoil(hour, fields):
        if hour == 2:
            fields[6] = 99.9
        if hour == 5:
            fields[8] = "wet"
        if hour == 7:
            fields[13] = 9999

    with pytest.raises(ScenarioError) as caught:
        Weather([WeatherParams(file=epw(tmp_path / "year.epw", spoil))])
    text = str(caught.value)
    assert "dry bulb (field 7): line 11: 99.9 stands for a missing value" in text
    assert "relative humidity (field 9): line 14: 'wet' is not from 0 to 110" in text
    assert "global horizontal radiation (field 14): line 16: 9999 stands for a missing value" in text


def test_an_epw_file_that_is_no_year_is_refused(tmp_path):
    file = tmp_path / "short.epw"
    file.write_text("LOCATION,a,b,c,d,0,40,110,8.0,1\n" + "h\n" * 7 + "2001,1,1,1,60,?,5\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match="1 hours after 8 lines of header, a year has 8760"):
        Weather([WeatherParams(file=file)])
    file.write_text("time,temp\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match="line 1 is not LOCATION"):
        Weather([WeatherParams(file=file)])


def test_a_file_in_kelvin_or_with_impossible_humidity_is_refused_with_rows(tmp_path):
    (tmp_path / "own.csv").write_text("t_h,air_k,rh\n0,300,50\n1,301,130\n", encoding="utf-8")
    unit = WeatherParams(
        file=tmp_path / "own.csv", time_column="t_h", value_column="air_k", humidity_column="rh"
    )
    with pytest.raises(ScenarioError) as refused:
        Weather([unit])
    text = str(refused.value)
    assert "column air_k: dry bulb: row 1 and 1 more rows: 300 is not from -70 to 70" in text
    assert "column rh: relative humidity: row 2: 130 is not from 0 to 110" in text
