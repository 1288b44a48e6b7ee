"""Cases of an area see one fleet: the mean of what they say, less their own."""

import pytest

from grids.recipe.areas import MOST_PU, View, levelled, write_recipe


def views(own_a: float, own_b: float, rest_a: float, rest_b: float) -> dict[str, View]:
    return {
        "a": View("north", 10_000, 40_000, {"rest_coal": own_a}, {"rest_coal": (rest_a, 0.5 * rest_a)}),
        "b": View("north", 20_000, 32_000, {"rest_coal": own_b}, {"rest_coal": (rest_b, 0.7 * rest_b)}),
    }


def test_every_case_sees_the_same_rating_and_load() -> None:
    found = levelled(views(10_000, 30_000, 50_000, 36_000))
    assert {name: fleet["rest_coal"][0] for name, (_, fleet) in found.items()} == {"a": 53_000, "b": 33_000}
    assert {name: load for name, (load, _) in found.items()} == {"a": 41_000, "b": 31_000}


def test_what_runs_outside_is_loaded_as_all_rests_together() -> None:
    found = levelled(views(10_000, 30_000, 50_000, 36_000))
    loading = (0.5 * 50 + 0.7 * 36) / 86
    for _, fleet in found.values():
        mva, mw = fleet["rest_coal"]
        assert mw / mva == pytest.approx(loading, abs=0.002)


def test_a_rest_keeps_room_for_its_governors() -> None:
    full = {"a": View("north", 0, 0, {"rest_coal": 0.0}, {"rest_coal": (10_000, 10_000)})}
    ((_, fleet),) = levelled(full).values()
    assert fleet["rest_coal"][1] == pytest.approx(MOST_PU * 10_000, abs=50)


def test_a_recipe_gets_the_numbers_of_its_points_and_keeps_the_rest(tmp_path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "points:\n"
        "  noon:\n    rest_load_mw: 1\n    rest_fleet_mw:\n      {rest_coal: [2, 1]}\n    load_pu: 0.5\n"
        "  night:\n    rest_load_mw: 3\n    rest_fleet_mw: {rest_coal: [4, 3]}\n",
        encoding="utf-8",
    )
    write_recipe(path, {"noon": (41_000.0, {"rest_coal": (53_000.0, 26_000.0)})})
    assert path.read_text(encoding="utf-8") == (
        "points:\n"
        "  noon:\n    rest_load_mw: 41000\n    rest_fleet_mw: {rest_coal: [53000, 26000]}\n    load_pu: 0.5\n"
        "  night:\n    rest_load_mw: 3\n    rest_fleet_mw: {rest_coal: [4, 3]}\n"
    )
