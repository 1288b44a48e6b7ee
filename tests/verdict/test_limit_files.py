import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosim.core.errors import ScenarioError
from cosim.core.units import unit_of
from cosim.verdict import limit_sets, load_limits

GOOD = """\
title: mine
limits:
  - id: band
    title: band
    quantity: {table: bus, column: vm_pu}
    at_least: 0.95
    clause: {document: study}
    status: derived
"""


def loaded(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return load_limits(path)


@pytest.mark.parametrize("name", limit_sets())
def test_shipped_limits_have_a_unit_a_clause_and_a_status(name):
    for limit in load_limits(name).limits:
        assert unit_of(limit.quantity.column) is not None
        assert limit.clause.document
        assert limit.status in ("published", "derived", "unconfirmed")


def test_the_chinese_set_holds_the_published_figures():
    limits = {limit.id: limit for limit in load_limits("cn").limits}
    assert limits["voltage_spread_35kv_up"].at_most == 0.10  # GB/T 12325: sum of deviations 10 %
    assert (limits["voltage_band_20kv_down"].at_least, limits["voltage_band_20kv_down"].at_most) == (
        0.93,
        1.07,
    )
    assert (limits["frequency_normal_low"].at_least, limits["frequency_normal_high"].at_most) == (-0.2, 0.2)


@pytest.mark.parametrize("name", limit_sets())
def test_no_unconfirmed_limit_of_a_shipped_set_fails_a_run(name):
    unconfirmed = [limit for limit in load_limits(name).limits if limit.status == "unconfirmed"]
    assert unconfirmed
    assert {limit.severity for limit in unconfirmed} == {"warn"}


@settings(max_examples=30, deadline=None)  # each reads the file
@given(st.floats(0.1, 1100.0) | st.sampled_from([20.0, 33.0, 35.0]))
def test_every_voltage_level_has_exactly_one_band_that_fails(vn_kv):
    bands = [f for f in load_limits("cn").limits if f.id.startswith("voltage_band")]
    assert all(f.severity == "fail" for f in bands)
    assert sum(_covers(f.quantity, vn_kv) for f in bands) == 1


def _covers(quantity, vn_kv):
    low, high = quantity.vn_kv_at_least, quantity.vn_kv_at_most
    above, below = quantity.vn_kv_above, quantity.vn_kv_below
    within = (low is None or vn_kv >= low) and (high is None or vn_kv <= high)
    return within and (above is None or vn_kv > above) and (below is None or vn_kv < below)


def test_a_deviation_is_of_frequencies_only(tmp_path):
    with pytest.raises(ScenarioError, match="vm_pu has no nominal"):
        loaded(tmp_path, GOOD.replace("column: vm_pu", "column: vm_pu, measure: deviation"))


def test_a_file_of_the_users_is_read(tmp_path):
    assert loaded(tmp_path, GOOD).limits[0].at_least == 0.95


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "at_least: 0.95",
            "at_lest: 0.95",
            r"mine.yaml:6: limits\[0\].at_lest = 0.95: unknown key; allowed: .*Did you mean 'at_least'",
        ),
        (
            "column: vm_pu",
            "colum: vm_pu",
            r"limits\[0\].quantity.colum = vm_pu: unknown key; .*Did you mean 'column'",
        ),
        (
            "status: derived",
            "status: certain",
            r"mine.yaml:8: limits\[0\].status = certain: not one of these; allowed: published, derived",
        ),
        (
            "at_least: 0.95",
            "at_least: high",
            r"mine.yaml:6: limits\[0\].at_least = high: wrong type, text; allowed: a number",
        ),
        ("    at_least: 0.95\n", "", r"mine.yaml:3: limits\[0\] = .*: needs at_least or at_most"),
        ("at_least: 0.95", "at_least: 1.2\n    at_most: 1.1", "at_least=1.2 is above at_most=1.1"),
        ("title: mine", "titel: mine", "mine.yaml:1: titel = mine: unknown key; .*Did you mean 'title'"),
        ("limits:", "limits: [", "not YAML"),
    ],
)
def test_mistakes_are_answered_with_line_key_and_what_is_allowed(tmp_path, old, new, message):
    with pytest.raises(ScenarioError, match=message):
        loaded(tmp_path, GOOD.replace(old, new))


def test_all_mistakes_are_told_at_once(tmp_path):
    with pytest.raises(ScenarioError) as error:
        loaded(tmp_path, GOOD.replace("at_least: 0.95", "at_lest: 0.95").replace("derived", "certain"))
    assert len(str(error.value).splitlines()) == 2


def test_an_id_used_twice_is_refused(tmp_path):
    with pytest.raises(ScenarioError, match="ids used twice: band"):
        loaded(tmp_path, GOOD + GOOD.split("limits:\n")[1])


def test_an_unknown_set_is_answered_with_the_installed_ones():
    with pytest.raises(ScenarioError, match="installed sets: cn"):
        load_limits("cm")
