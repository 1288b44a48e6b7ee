"""A user's own files: what is read, and what every mistake is answered."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from cosim.core.component import Context
from cosim.core.errors import ScenarioError
from datacenters.profile import Profile, ProfileParams

NINE = datetime(2025, 8, 5, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


def written(folder, text, name="wind.csv"):
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def profile(file, start=NINE, **params):
    unit = Profile([ProfileParams(file=file, relative_to="absolute", **params)])
    unit.reset(Context(start=start))
    return unit


def mean(unit, t_s, dt_s):
    return float(unit.step(t_s, dt_s, {})["scale_pu"][0])


def test_a_csv_in_minutes_is_read_as_straight_lines_or_steps(tmp_path):
    file = written(tmp_path, "# my turbine\nt_min,cf_pu\n0,0.2\n10,0.6\n20,0.4\n")
    names = {"time_column": "t_min", "value_column": "cf_pu"}
    assert mean(profile(file, **names), 300.0, 60.0) == pytest.approx(0.42)
    assert mean(profile(file, interpolation="hold", **names), 300.0, 60.0) == pytest.approx(0.2)


def test_a_parquet_file_gives_what_its_csv_gives(tmp_path):
    frame = pd.DataFrame({"t_s": [0.0, 100.0, 200.0], "scale_pu": [1.0, 2.0, 0.5]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    assert mean(profile(tmp_path / "a.parquet"), 50.0, 80.0) == mean(profile(tmp_path / "a.csv"), 50.0, 80.0)


@pytest.mark.parametrize(
    "stamps",
    [
        ("2025-08-05 09:00", "2025-08-05 10:00"),  # the zone of the scenario
        ("2025-08-05T01:00Z", "2025-08-05T02:00Z"),
        ("2025-08-05T03:00+02:00", "2025-08-05T04:00+02:00"),
    ],
)
def test_wall_clock_times_meet_the_start_of_the_scenario_in_every_zone(tmp_path, stamps):
    file = written(tmp_path, f"time,scale_pu\n{stamps[0]},0\n{stamps[1]},1\n")
    unit = profile(file, time_column="time")
    assert mean(unit, 1800.0, 1e-3) == pytest.approx(0.5, abs=1e-6)


def test_numbers_may_count_from_midnight_and_repeat_every_day(tmp_path):
    hours = "".join(f"{h},{h}\n" for h in range(24))
    file = written(tmp_path, f"t_h,scale_pu\n{hours}")
    unit = profile(file, time_column="t_h", counts_from="midnight", repeats_every_h=24, interpolation="hold")
    assert [mean(unit, t_h * 3600.0, 60.0) for t_h in (0, 5, 15, 24 + 14)] == [9.0, 14.0, 0.0, 23.0]


@pytest.mark.parametrize(
    ("text", "params", "says"),
    [
        ("t_s,x\n0,1\n1,2\n", {}, "no column scale_pu; the file has: t_s, x"),
        (
            "t_s,scale_pu\n0,1\n5,2\n4,3\n",
            {},
            "column t_s must rise from row to row, but row 3 holds .*4.* after .*5",
        ),
        ("t_s,scale_pu\n0,1\n0,2\n", {}, "row 2 holds .*0.* after .*0"),
        (
            "t_s,scale_pu\n0,1\n1,\n2,x\n",
            {},
            "column scale_pu holds no finite number in row 2: nan, row 3: 'x'",
        ),
        ("t_s,scale_pu\n0,1\n1,inf\n", {}, "no finite number in row 2"),
        ("t_s,scale_pu\n0,1\n", {}, "1 rows of data, at least 2"),
        ("t,scale_pu\n0,1\n1,2\n", {"time_column": "t"}, "numeric time column t must end in _s, _min or _h"),
        ("t,scale_pu\nsoon,1\nlater,2\n", {"time_column": "t"}, "column t holds neither numbers nor times"),
        ("t_s,scale_pu\n0,1\n86400,2\n", {"repeats_every_h": 24}, "too long for a period of 86400 s"),
        ("", {}, "cannot be read as a table"),
    ],
)
def test_a_broken_file_is_named_with_column_row_and_value(tmp_path, text, params, says):
    file = written(tmp_path, text)
    with pytest.raises(ScenarioError, match=says) as refused:
        profile(file, **params)
    assert str(file) in str(refused.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ScenarioError, match=r"nowhere\.csv: no such file"):
        profile(tmp_path / "nowhere.csv")


def test_all_broken_files_are_told_at_once(tmp_path):
    units = [ProfileParams(file=tmp_path / name) for name in ("a.csv", "b.csv")]
    with pytest.raises(ScenarioError) as refused:
        Profile(units)
    assert len(str(refused.value).splitlines()) == 2


def test_a_file_that_ends_before_the_run_says_so_before_and_when_it_happens(tmp_path):
    unit = profile(written(tmp_path, "t_s,scale_pu\n0,1\n100,2\n"))
    assert unit.uncovered(100.0) == []
    assert "covers t_s = 0 to 100, but the run needs 0 to 160" in unit.uncovered(160.0)[0]
    assert np.isfinite(mean(unit, 40.0, 60.0))
    with pytest.raises(ScenarioError, match="column scale_pu covers t_s = 0 to 100"):
        mean(unit, 100.0, 60.0)
