"""The recipe of a province: its operating points are what the recipe gives, and what is wrong is told."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from cosim.core.errors import CaseError
from grids.case import case_folder, load_case, operating_points
from grids.recipe.plan import read_plan
from grids.recipe.points import work_out
from grids.recipe.write import write_points

CASE = case_folder("ningxia")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CASE, tmp_path / "ningxia"))


def changed(folder: Path, **keys: object) -> Path:
    path = folder / "recipe.yaml"
    plan = yaml.safe_load(path.read_text(encoding="utf-8"))
    plan["points"]["night_valley"].update(keys)
    path.write_text(yaml.safe_dump(plan), encoding="utf-8")
    return path


def test_the_points_in_the_repository_are_those_the_recipe_writes(copied: Path) -> None:
    write_points(str(copied))
    for point in operating_points(CASE):
        for table in ("gen", "load", "sgen", "shunt", "trafo"):
            ours, again = (
                pd.read_csv(folder / "operating_points" / point / f"{table}.csv") for folder in (CASE, copied)
            )
            pd.testing.assert_frame_equal(again, ours, check_dtype=False, atol=0.5)


def test_a_wrong_recipe_is_told_with_all_findings(copied: Path) -> None:
    path = changed(copied, load_pu=1.2, wind_pu=-0.1, winds_pu=0.1)
    with pytest.raises(CaseError) as told:
        read_plan(path)
    assert [line.split(": ")[1] for line in str(told.value).splitlines()] == [
        "points.night_valley.load_pu",
        "points.night_valley.wind_pu",
        "points.night_valley.winds_pu",
    ]


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ({"must_run": ["Ghost"]}, "recipe names Ghost, which the case does not have"),
        ({"injections_mw": {"Pingluo power station": 5}}, "recipe names Pingluo power station"),
        ({"injections_mw": {"Ningxia-Hunan DC": -5}}, "'Ningxia-Hunan' is in injections_mw, too"),
        (
            {"wind_pu": 0.0, "load_pu": 1.0, "injections_mw": {"Northwest interchange": -20000}},
            "of reserve do not fit",
        ),
    ],
)
def test_what_the_case_cannot_do_is_told(copied: Path, keys: dict[str, object], what: str) -> None:
    plan = read_plan(changed(copied, **keys))
    with pytest.raises(ValueError, match=what):
        work_out(load_case(str(copied), "night_valley"), plan, plan.points["night_valley"])


def test_a_link_nobody_scheduled_is_told(copied: Path) -> None:
    path = copied / "recipe.yaml"
    path.write_text(path.read_text().replace("sends: [", "sends: [Jiuquan-Hunan, Nowhere-Hunan, "))
    plan = read_plan(path)
    with pytest.raises(
        ValueError, match="'Jiuquan-Hunan' is no link of the case; 'Nowhere-Hunan' is"
    ) as told:
        work_out(load_case(str(copied), "night_valley"), plan, plan.points["night_valley"])
    assert "'Nowhere-Hunan' is not scheduled at 'night_valley'" in str(told.value)
