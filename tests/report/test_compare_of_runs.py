import json
import re

import pytest
from made_run import made_run
from made_work import EVENTS, SCENARIO, made_work
from page_data import data_of
from typer.testing import CliRunner

from cosim.cli import app
from cosim.compare import figures_apart, limits_apart, read_runs, summary, write_page
from cosim.core.errors import ResultsError

BOUND = "\nexpect: [{kpi: p_max_mw, at: east_hall, at_most: 45, because: the transformer}]\n"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sides")
    made_work(folder / "one", scenario=SCENARIO + BOUND)
    made_work(folder / "two", scenario=SCENARIO + BOUND, shift_mw=20.0, failed=0.0, events=EVENTS[:3])
    return folder / "one", folder / "two"


@pytest.fixture(scope="module")
def runs(folders):
    return read_runs(folders)


def other_run(folder, **made):
    """A run of another scenario: the hand-over the tests of reports share."""
    run = made_run(folder, **made)
    text = SCENARIO.split("units:")[0] + "units: {move: {component: handover}}"
    manifest = run.manifest | {"scenario": {"name": folder.name, "text": text}}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def row(runs, key):
    return next(row for row in figures_apart(runs) if row.key == key)


def test_a_key_figure_is_shown_of_both_runs_with_its_difference(runs):
    assert row(runs, "p_max_mw@east_hall").values == (50.0, 40.0)
    assert row(runs, "p_max_mw@east_hall").differences == (-10.0,)
    assert row(runs, "jobs_failed_count").differences == (-3.0,)
    assert not row(runs, "jobs_moved_count").differs


def test_a_run_equals_itself_in_everything(folders, tmp_path):
    made_work(tmp_path / "again", scenario=SCENARIO + BOUND)
    twice = read_runs([folders[0], tmp_path / "again"])
    assert not any(row.differs for row in (*figures_apart(twice), *limits_apart(twice)))
    write_page(twice, tmp_path / "compare.html")
    assert data_of((tmp_path / "compare.html").read_text("utf-8"))["figures"] == []


def test_a_limit_broken_in_one_run_is_told_as_a_difference(runs):
    apart = [limit for limit in limits_apart(runs) if limit.differs]
    assert [[finding.outcome for finding in limit.findings] for limit in apart] == [["violated", "held"]]
    assert "violated" in summary(runs)


def test_another_bound_is_another_limit(folders, tmp_path):
    made_work(tmp_path / "other", scenario=SCENARIO + BOUND.replace("45", "55"))
    apart = [r for r in limits_apart(read_runs([folders[0], tmp_path / "other"])) if r.differs]
    outcomes = [[f and f.outcome for f in limit.findings] for limit in apart]
    assert outcomes == [["violated", None], [None, "held"]]


def test_plots_hold_both_runs_where_they_differ_and_name_those_that_are_equal(runs, tmp_path):
    write_page(runs, tmp_path / "compare.html")
    text = (tmp_path / "compare.html").read_text("utf-8")
    drawn = {figure["title"]: figure for figure in data_of(text)["figures"]}
    lines = drawn["Power drawn"]["lines"]
    assert [(line["name"], line["dash"]) for line in lines] == [
        ("west_hall · one", "solid"),
        ("west_hall · two", "dash"),
        ("east_hall · one", "solid"),
        ("east_hall · two", "dash"),
    ]
    assert lines[0]["colour"] == lines[1]["colour"] != lines[2]["colour"]
    assert "Data of jobs and sessions sent" not in drawn
    assert "data of jobs and sessions sent" in text.split("Equal in all runs:")[-1].split("</p>")[0]
    shown = re.sub(r"<script.*?</script>", "", text, flags=re.S)
    assert not re.search(r'(src|href)="(?!data:|#)', shown)


def test_a_run_that_ended_earlier_is_compared_until_then(folders, tmp_path):
    other_run(tmp_path / "short", end_s=300.0)
    other_run(tmp_path / "long", end_s=600.0)
    runs = read_runs([tmp_path / "short", tmp_path / "long"])
    write_page(runs, tmp_path / "compare.html")
    drawn = {f["title"] for f in data_of((tmp_path / "compare.html").read_text("utf-8"))["figures"]}
    assert "Power drawn" not in drawn, "the same until 300 s"


def test_two_runs_of_one_scenario_are_told_apart_by_their_folders(folders, tmp_path):
    manifest = json.loads((folders[0] / "manifest.json").read_text())
    for name in ("seed_1", "seed_2"):
        made_work(tmp_path / name)
        (tmp_path / name / "manifest.json").write_text(json.dumps(manifest))
    assert [run.label for run in read_runs([tmp_path / "seed_1", tmp_path / "seed_2"])] == [
        "seed_1",
        "seed_2",
    ]


def test_everything_that_is_wrong_with_the_runs_is_told_at_once(folders, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ResultsError) as error:
        read_runs([folders[0], folders[0], tmp_path / "empty", tmp_path / "none"])
    text = str(error.value)
    assert f"{folders[0].resolve()}: given 2 times" in text
    assert f"{tmp_path / 'empty'}: has no manifest.json" in text
    assert f"{tmp_path / 'none'}: no such folder" in text


def test_one_run_is_not_compared(folders):
    with pytest.raises(ResultsError, match="1 run given: two or more"):
        read_runs(folders[:1])


def test_runs_without_a_common_key_figure_are_refused(folders, tmp_path):
    other_run(tmp_path / "other", tables=("battery",))
    other_run(tmp_path / "grid", tables=("grid",))
    with pytest.raises(ResultsError, match="no key figure in common: other has"):
        read_runs([tmp_path / "other", tmp_path / "grid"])


def test_the_command_passes_whatever_the_verdicts_are(folders, tmp_path):
    out = tmp_path / "c.html"
    done = CliRunner().invoke(app, ["compare", *map(str, folders), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "jobs_failed_count" in done.output
    assert out.is_file()


def test_the_command_refuses_what_is_no_run(folders, tmp_path):
    done = CliRunner().invoke(app, ["compare", str(folders[0]), str(tmp_path)])
    assert done.exit_code == 2
    assert "not a results folder" in done.output
