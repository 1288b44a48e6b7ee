"""The writer: everything said is on disk, whatever the chunks, and its hash tells one run from another."""

import math
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from cosim.core.errors import ResultsError
from cosim.results import Event, TableSpec, Writer, load
from cosim.results.layout import write_json
from cosim.results.writer import results_hash

TABLES = {"bus": TableSpec(("a", "b", "c"), ("vm_pu", "p_mw")), "grid": TableSpec(("grid",), ("load_mw",))}


def values(place, seed=0):
    random = np.random.default_rng([seed, place])
    bus = {"vm_pu": random.random(3), "p_mw": random.random(3)}
    return {"bus": bus, "grid": {"load_mw": random.random(1)}}


def written(folder, exchanges, chunk, flush_s=1e9, seed=0):
    folder.mkdir(exist_ok=True)
    write_json(folder / "manifest.json", {"status": "complete"})
    writer = Writer(folder, TABLES, exchanges=chunk, flush_s=flush_s)
    for place in range(exchanges):
        writer.append(float(place), 1.0, values(place, seed))
        writer.add_events([Event(float(place), "a", "tick", f"number {place}")])
    return writer


@settings(deadline=None, max_examples=15)
@given(exchanges=st.integers(1, 25), chunk=st.integers(1, 9))
def test_what_was_appended_is_read_back_whatever_the_chunks(tmp_path_factory, exchanges, chunk):
    folder = tmp_path_factory.mktemp("run")
    written(folder, exchanges, chunk).close()
    results = load(folder)
    expected = np.array([values(place)["bus"]["p_mw"] for place in range(exchanges)])
    assert_array_equal(results.series("bus", "p_mw").to_numpy(), expected)
    assert len(results.table("bus")) == 3 * exchanges
    assert len(results.dt_s) == len(results.events) == exchanges
    assert len(list((folder / "series" / "bus").iterdir())) == max(1, math.ceil(exchanges / chunk))


def test_hashes_do_not_depend_on_how_the_rows_were_chunked_or_flushed(tmp_path):
    hashes = [
        written(tmp_path / f"{chunk}-{flush_s}", 20, chunk, flush_s).close()
        for chunk, flush_s in ((3, 1e9), (20, 1e9), (64, 0.0))
    ]
    assert hashes[0] == hashes[1] == hashes[2]


def test_one_changed_bit_changes_the_hash_of_its_table_only(tmp_path):
    first = written(tmp_path / "first", 5, 4).close()
    writer = written(tmp_path / "second", 4, 4)
    last = values(4)
    last["bus"]["p_mw"][2] = np.nextafter(last["bus"]["p_mw"][2], np.inf)
    writer.append(4.0, 1.0, last)
    writer.add_events([Event(4.0, "a", "tick", "number 4")])
    second = writer.close()
    assert {name for name in first if first[name] != second[name]} == {"bus"}
    assert results_hash(first) != results_hash(second)


def test_rows_are_on_disk_before_their_chunk_is_full(tmp_path):
    written(tmp_path / "run", 5, 100, flush_s=0.0).wait()
    assert len(load(tmp_path / "run").dt_s) == 5


def test_a_full_chunk_is_on_disk_without_a_flush(tmp_path):
    written(tmp_path / "run", 5, 2).wait()
    assert len(load(tmp_path / "run").dt_s) == 4


def test_only_whole_chunks_are_ever_visible(tmp_path):
    written(tmp_path / "run", 7, 2, flush_s=0.0).wait()
    assert not list((tmp_path / "run").rglob("*.part"))


def test_a_block_never_holds_more_than_its_share_of_memory(tmp_path):
    wide = {"bus": TableSpec(tuple(map(str, range(5000))), tuple(f"c{n}_pu" for n in range(20)))}
    writer = Writer(tmp_path / "run", wide)
    assert writer.capacity * 5000 * 20 * 8 <= 17 * 2**20


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda row: row.pop("bus"), "table bus at t_s=3: missing"),
        (lambda row: row["bus"].pop("p_mw"), "column p_mw missing"),
        (lambda row: row["bus"].update(p_mw=np.zeros(4)), r"column p_mw has shape \(4,\), expected \(3,\)"),
    ],
)
def test_a_table_that_changes_its_shape_is_named(tmp_path, spoil, complaint):
    writer = written(tmp_path / "run", 3, 4)
    row = values(3)
    spoil(row)
    with pytest.raises(ResultsError, match=complaint):
        writer.append(3.0, 1.0, row)


def test_what_cannot_be_written_is_told_at_the_next_flush(tmp_path):
    writer = written(tmp_path / "run", 3, 100)
    shutil.rmtree(tmp_path / "run")
    with pytest.raises(FileNotFoundError, match="bus"):
        writer.flush()
