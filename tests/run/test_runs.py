"""Whole runs: the same seed gives the same results, a longer run costs more of the same."""

import asyncio
import json
import tracemalloc

import pytest
from suandian_toys import Broken, Noisy, Toy, ToyParams, kind, plan

from cosim.core.errors import ComponentError
from cosim.results import sql
from cosim.run import run

HASHED = "results_hash"


def noisy(seed=1, process=False, **more):
    return plan(
        kind(Noisy, ToyParams(), ToyParams(), process=process), kind(Toy, ToyParams()), seed=seed, **more
    )


def test_two_runs_with_one_seed_are_identical(tmp_path):
    first, second = (run(noisy(), tmp_path / name).manifest for name in ("first", "second"))
    assert first["hashes"] == second["hashes"]
    assert first[HASHED] == second[HASHED]


def test_a_plan_can_run_again_and_nothing_of_the_first_run_remains(tmp_path):
    made = noisy()
    assert run(made, tmp_path / "a").manifest[HASHED] == run(made, tmp_path / "b").manifest[HASHED]


def test_another_seed_changes_the_results_and_only_what_is_random(tmp_path):
    first, second = (run(noisy(seed), tmp_path).manifest for seed in (1, 2))
    assert first[HASHED] != second[HASHED]
    changed = {table for table in first["hashes"] if first["hashes"][table] != second["hashes"][table]}
    assert {"noisy", "grid", "point"} <= changed
    assert not {"clock", "events", "bus"} & changed


def test_a_component_in_a_process_gives_the_same_results_to_the_last_bit(tmp_path):
    inside, outside = (run(noisy(process=p), tmp_path / str(p)).manifest for p in (False, True))
    assert inside[HASHED] == outside[HASHED]


def test_the_manifest_says_what_ran_with_what_and_how_it_ended(tmp_path):
    results = run(noisy(seed=7), tmp_path)
    told = json.loads((results.path / "manifest.json").read_text())
    assert (told["status"], told["seed"], told["clock"]["exchanges_count"]) == ("complete", 7, 10)
    assert {"python", "suandian", "mosaik", "numpy", "numba", "pandapower", "lightsim2grid"} <= set(
        told["versions"]
    )
    assert {"noisy", "toy", "grid", "results", "setup", "mosaik and adapters"} == set(told["timings_s"])
    assert sum(told["timings_s"].values()) == pytest.approx(told["wall_s"], rel=0.05)
    assert "title: A toy" in told["scenario"]["text"]
    assert told["grid"] == {"case": "toy"}
    assert results.model["elements"]["bus"] == ["bus_0", "bus_1", "bus_2"]
    assert results.model["geography"]["vn_kv"] == [220.0, 220.0, 220.0]


def test_runs_of_different_seeds_lie_side_by_side_and_answer_one_query(tmp_path):
    runs = [run(noisy(seed), tmp_path) for seed in (1, 2)]
    frame = sql("SELECT run, avg(p_mw) AS mean_mw FROM noisy GROUP BY run ORDER BY run", runs)
    assert sorted(frame["run"]) == sorted(path.name for path in tmp_path.iterdir())
    assert frame["mean_mw"].nunique() == 2


def test_progress_and_the_table_of_times_go_to_the_terminal_and_not_to_the_output(tmp_path, capfd):
    run(noisy(), tmp_path, progress=True)
    told = capfd.readouterr()
    assert told.out == ""
    assert "where the time went" in told.err
    assert "mosaik and adapters" in told.err


def test_a_run_works_where_an_event_loop_runs_already_as_in_a_notebook(tmp_path):
    async def cell():
        return run(noisy(), tmp_path / "notebook")

    results = asyncio.run(cell())
    assert results.manifest[HASHED] == run(noisy(), tmp_path / "script").manifest[HASHED]


def test_a_hang_in_a_notebook_is_named(tmp_path):
    params = ToyParams(mode="loop", at_s=3.0)

    async def cell():
        run(plan(kind(Broken, params)), tmp_path, step_limit_s=2.0)

    with pytest.raises(ComponentError, match=r"^broken at t_s=3: still not done"):
        asyncio.run(cell())


def calls_of(exchanges, tmp_path):
    """Return how many function calls a run takes: a cost without a clock."""
    import cProfile

    made = plan(kind(Toy, ToyParams()), until_s=float(exchanges))
    profile = cProfile.Profile()
    profile.runcall(run, made, tmp_path / str(exchanges))
    return sum(entry.callcount for entry in profile.getstats())


def test_an_exchange_costs_the_same_in_a_long_run_as_in_a_short_one(tmp_path):
    short, middle, long = (calls_of(n, tmp_path) for n in (100, 200, 800))
    first, second = (middle - short) / 100, (long - middle) / 600
    assert second == pytest.approx(first, rel=0.05)  # quadratic growth would triple it


def peak_of(exchanges, tmp_path):
    made = plan(kind(Toy, ToyParams()), until_s=float(exchanges), buses=2000)
    run(plan(kind(Toy, ToyParams()), until_s=2.0), tmp_path / "warm")  # imports and caches
    tracemalloc.start()
    try:
        run(made, tmp_path / str(exchanges))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_is_flat_once_a_chunk_is_full(tmp_path):
    # one exchange of 2,000 buses takes 64 kB, so a chunk of 16 MiB holds 258 of them
    short, long = peak_of(300, tmp_path), peak_of(900, tmp_path)
    assert long < 1.2 * short
