"""Published frequency events against the area model, with what is not published spread over stated ranges."""

import frequency_events as events
import numpy as np
import pytest

BRITISH = "2017-05-09"


def numbers(table: str) -> dict[tuple[str, str], list[float]]:
    """Return the numbers of each row of the table of events, by event and quantity."""
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return {
        (row[0], row[1]): [float(cell.removesuffix(" %")) for cell in row[2:] if cell != "no gate"]
        for row in rows
    }


def test_the_page_has_the_events_as_the_model_has_them() -> None:
    written, found = numbers(events.written("events")), numbers(events.event_table())
    assert written.keys() == found.keys()
    for row, values in found.items():
        near = [0.0015 if row[1].endswith("Hz") else 0.25] * 4 + [1.01] * (len(values) - 4)
        assert np.all(np.abs(np.subtract(written[row], values)) <= near), row


def test_the_page_has_the_ranges_as_they_are_sampled() -> None:
    assert events.written("ranges") == events.range_table()


def test_the_page_has_the_areas_as_the_cases_have_them() -> None:
    assert events.written("areas") == events.area_table()


def test_no_area_answers_with_all_that_turns_and_each_has_a_bias_of_its_size() -> None:
    for line in events.area_table().splitlines()[2:]:
        load_gw, _, governed_gw, responding_gw, *_, bias = (
            float(cell) for cell in line.strip("| ").split(" | ")[1:]
        )
        assert 0.39 < responding_gw / governed_gw < 0.51, line
        assert 0.005 < bias / (1e3 * load_gw) < 0.02, line


def test_the_british_nadir_lies_inside_the_spread_of_what_is_not_public() -> None:
    assert 10.0 < events.percentile(BRITISH, "nadir_hz") < 90.0
    assert np.median(events.spread(BRITISH)["nadir_hz"]) == pytest.approx(49.652, abs=0.040)


def test_the_steepest_second_of_the_british_event_is_met_within_ten_per_cent() -> None:
    assert events.within_gate("steepest_second_hz") >= 95.0


def test_the_british_recovery_after_a_minute_lies_inside_the_spread_with_orders_of_the_control_room() -> None:
    assert 80.0 < events.percentile(BRITISH, "f_60s_hz") < 97.5
    low_mw, high_mw = np.percentile(events.spread(BRITISH)["missing_mw"], [5, 95])
    assert low_mw < 0.0 < high_mw < 500.0


def test_without_such_orders_no_point_is_as_high_after_a_minute() -> None:
    event = events.events()[BRITISH]
    silent = [q | {"fast_mw": 0.0} for q in events.sampled(event.area)[::10]]
    assert max(events.outcome(events.british(event, q), event).f_60s_hz for q in silent) < event.f_60s_hz


def test_the_rise_after_virginias_load_left_lies_inside_the_spread() -> None:
    assert 10.0 < events.percentile("2024-07-10", "zenith_hz") < 90.0


def test_every_point_starts_at_rest_and_its_holding_secures_what_it_has_to() -> None:
    event = events.events()[BRITISH]
    for q in events.sampled(event.area)[:5]:
        area = events.british(event, q | {"delivered_pu": 1.0, "trigger_error_hz": 0.0})
        deficit_mw = events.settle(area, event.f_start_hz)
        rest = area.step(0.0, 10.0, np.array([deficit_mw]), events.NONE, events.NONE, events.NONE)
        assert rest.f_hz[0] == pytest.approx(event.f_start_hz, abs=3e-4)
        secured_hz = events.nadir_after(area, q["secured_mw"], q["f_planned_hz"])
        assert secured_hz == pytest.approx(events.SECURED_HZ, abs=2e-3) or secured_hz > events.SECURED_HZ
