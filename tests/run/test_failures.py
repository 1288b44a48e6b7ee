"""When a model breaks the run says which, when and how, and keeps everything before it."""

import pytest
from numpy.testing import assert_array_equal
from suandian_toys import Broken, Ramp, Toy, ToyParams, kind, plan

from cosim.core.errors import ComponentError, ScenarioError
from cosim.results import load
from cosim.run import run
from cosim.run.manifest import run_folder

HANGS = 2.0
"""Limit [s] for models that hang: the rest of a toy exchange takes a thousandth of it."""


def broken(mode, process=False, at_s=3.0):
    params = ToyParams(mode=mode, at_s=at_s)
    return plan(kind(Ramp, ToyParams()), kind(Broken, params, params, process=process))


def left_behind(made, tmp_path, expected_exchanges=3):
    """Return the results of a run that broke, after looking at what every broken run must leave."""
    results = load(run_folder(made, tmp_path))
    assert results.status == "failed"
    assert_array_equal(results.series("ramp", "p_mw")["ramp_0"], range(expected_exchanges))
    assert len(results.table("broken")) == 2 * expected_exchanges
    assert results.manifest["culprit"] == "broken"
    error = results.events.iloc[-1]
    assert (error["source"], error["kind"], error["text"]) == ("broken", "error", results.manifest["error"])
    return results


@pytest.mark.parametrize("process", [False, True])
@pytest.mark.parametrize(
    ("mode", "complaint"),
    [
        ("raise", "ZeroDivisionError: the sky fell"),
        ("nan", "output q_mvar of broken_1 is nan, not a finite number"),
        ("shape", r"output p_mw has shape \(7,\), expected \(2,\)"),
        ("missing", "output p_mw is missing"),
        ("extra", "ports it does not declare: p_secret_mw"),
        ("text", "output p_mw is not numbers"),
    ],
)
def test_a_component_that_breaks_the_contract_is_named_and_what_came_before_is_kept(
    tmp_path, mode, complaint, process
):
    made = broken(mode, process)
    with pytest.raises(ComponentError, match=rf"^broken at t_s=3: .*{complaint}"):
        run(made, tmp_path)
    left_behind(made, tmp_path)


def test_the_exception_of_a_component_is_chained(tmp_path):
    with pytest.raises(ComponentError) as caught:
        run(broken("raise"), tmp_path)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("mode", ["nothing", "exit"])
def test_a_component_that_returns_nothing_or_leaves_does_not_end_the_program(tmp_path, mode):
    made = broken(mode)
    with pytest.raises(ComponentError, match=r"^broken at t_s=3: "):
        run(made, tmp_path)
    left_behind(made, tmp_path)


@pytest.mark.parametrize("mode", ["sleep", "loop"])
def test_a_component_that_hangs_is_named(tmp_path, mode):
    made = broken(mode)
    with pytest.raises(ComponentError, match=r"^broken at t_s=3: still not done .* after 2 s"):
        run(made, tmp_path, step_limit_s=HANGS)
    left_behind(made, tmp_path)


@pytest.mark.parametrize("mode", ["sleep", "loop"])
def test_a_process_that_hangs_is_named(tmp_path, mode):
    made = broken(mode, process=True)
    with pytest.raises(ComponentError, match=r"^broken at t_s=3: still not done .* after 15 s"):
        run(made, tmp_path, step_limit_s=15.0)  # importing the packages counts too
    left_behind(made, tmp_path)


@pytest.mark.parametrize(
    ("mode", "end"), [("die", "ended with exit code 7"), ("kill", "was ended by signal 9")]
)
def test_a_process_that_dies_is_named_with_the_way_it_ended(tmp_path, mode, end):
    made = broken(mode, process=True)
    with pytest.raises(ComponentError, match=rf"^broken at t_s=3: its process {end}"):
        run(made, tmp_path)
    left_behind(made, tmp_path)


def test_a_process_that_raises_leaves_its_traceback(tmp_path):
    made = broken("raise", process=True)
    with pytest.raises(ComponentError):
        run(made, tmp_path)
    assert (
        'raise ZeroDivisionError("the sky fell")' in (run_folder(made, tmp_path) / "broken.log").read_text()
    )


def test_a_process_whose_class_cannot_be_imported_is_named_before_the_first_exchange(tmp_path):
    class Local(Toy):
        """Only exists inside this function."""

    made = plan(kind(Local, ToyParams(), process=True))
    with pytest.raises(ComponentError, match=r"^local at t_s=0: its process ended .* AttributeError"):
        run(made, tmp_path)
    assert load(run_folder(made, tmp_path)).status == "failed"


class Unready(Toy):
    """Cannot be reset."""

    def reset(self, context):
        raise RuntimeError("no start")  # noqa: EM101


def test_a_component_that_cannot_be_reset_is_named(tmp_path):
    with pytest.raises(ComponentError, match=r"^unready at t_s=0: RuntimeError: no start"):
        run(plan(kind(Unready, ToyParams())), tmp_path)


class BrokenTables:
    """Wraps a grid and takes a column out of its results."""

    def __init__(self, grid):
        self.__dict__.update(grid.__dict__)
        self.grid = grid

    def reset(self, context):
        return self.grid.reset(context)

    def step(self, t_s, dt_s, inputs, events):
        tables = self.grid.step(t_s, dt_s, inputs, events)
        if t_s >= 3.0:
            del tables["bus"]["va_degree"]
        return tables

    def geography(self):
        return self.grid.geography()

    def provenance(self):
        return self.grid.provenance()


def test_a_grid_that_loses_a_column_is_named(tmp_path):
    made = plan(kind(Toy, ToyParams()))
    object.__setattr__(made, "grid", BrokenTables(made.grid))
    with pytest.raises(ComponentError, match=r"^grid at t_s=3: table bus at t_s=3: column va_degree missing"):
        run(made, tmp_path)
    assert len(load(run_folder(made, tmp_path)).dt_s) == 3


def test_a_broken_scenario_stays_the_authors_error(tmp_path):
    class Picky(Toy):
        def reset(self, context):
            raise ScenarioError("these two cannot work together")  # noqa: EM101

    with pytest.raises(ScenarioError, match="cannot work together"):
        run(plan(kind(Picky, ToyParams())), tmp_path)


def test_ctrl_c_leaves_readable_results_marked_incomplete(tmp_path):
    made = broken("interrupt")
    with pytest.raises(KeyboardInterrupt):
        run(made, tmp_path)
    results = load(run_folder(made, tmp_path))
    assert results.status == "incomplete"
    assert results.manifest["error"] == "interrupted by the user"
    assert len(results.dt_s) == 3


def test_after_a_failure_the_next_run_works_and_replaces_it(tmp_path):
    made = broken("raise")
    with pytest.raises(ComponentError):
        run(made, tmp_path)
    good = broken("raise", at_s=99.0)
    results = run(good, tmp_path)
    assert (results.status, len(results.dt_s)) == ("complete", 10)
    assert results.path == run_folder(made, tmp_path)
    assert "error" not in results.manifest


def test_a_folder_with_somebody_elses_files_is_left_alone(tmp_path):
    made = plan(kind(Toy, ToyParams()))
    folder = run_folder(made, tmp_path)
    folder.mkdir(parents=True)
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(Exception, match="not a results folder"):
        run(made, tmp_path)
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]
