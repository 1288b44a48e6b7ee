"""What units draw by chance before a run starts follows the seed of the scenario."""

from cosim.assemble import prepare


def thresholds(**changes):
    """Return the voltages the groups of a hall let go at."""
    plan = prepare("campus_ride_through", changes=changes)
    offer = plan.connections.hosted[plan.connections.units.index("groups")]
    return [part.models["electronic_load"]["vcease_pu"] for part in offer.parts]


def test_groups_of_a_supply_are_those_of_the_seed():
    assert len(set(thresholds())) == 8
    assert thresholds() == thresholds()
    assert thresholds(seed=4) != thresholds()
