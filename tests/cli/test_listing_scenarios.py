"""`suandian list scenarios` tells a reader which scenario to run."""

from functools import cache

from cosim.core.places import reference_folder
from cosim.scenario.parents import shipped
from cosim.stories import stories


@cache
def told() -> dict[str, str]:
    blocks = stories().split("\n\n")
    return {block.partition(":")[0]: block for block in blocks}


def test_every_shipped_scenario_is_told_with_its_story_and_the_verdict_of_its_reference():
    blocks = told()
    assert tuple(blocks) == shipped()
    for name, block in blocks.items():
        head, facts, *story = block.splitlines()
        assert head != f"{name}: "
        assert facts.count(";") == 2
        assert story
        known = (reference_folder() / name / "kpis.yaml").is_file()
        assert facts.endswith(("pass", "fail")) == known


def test_a_scenario_tells_its_grids_and_length_and_one_with_a_parent_those_of_its_parent():
    blocks = told()
    assert (
        "  xinjiang_hami, sichuan_chongqing, summer evening peak, powerflow; 20 min; pass"
        in blocks["hami_surge"]
    )
    assert "  sichuan_chongqing, spring noon, powerflow; 15 min; fail" in blocks["gigawatt_ramp_unguarded"]
