"""What components know, before a run, that they cannot do in it: asked of each, told all at once."""

from collections.abc import Callable
from typing import Any

from cosim.core.component import Component, Context, commands_of
from cosim.core.errors import ScenarioError, SuandianError
from cosim.core.streams import Streams
from cosim.scenario.findings import Finding, KeyPath, quoted_key
from cosim.scenario.loading import Examined
from cosim.scenario.roster import Kind, Member


def foreseen(seen: Examined) -> list[Finding]:
    """Reset every component as the run will, and return what they say about it.

    That is a start they cannot have, data that end too early, units that cannot work in exchanges of this
    length, orders beyond them, and ranges that would be sold twice.
    """
    found = []
    for kind in seen.roster.kinds.values():
        if kind.component is None:
            found += [finding for member in kind.members for finding in _alone(member, seen)]
        else:
            found += _of_kind(kind, kind.component, seen)
    return found + _sold_twice(seen)


def _of_kind(kind: Kind, model: Any, seen: Examined) -> list[Finding]:
    """Return what the units of a kind say: any of the questions may be left out of a component."""
    try:
        model.reset(_context(seen, kind.members))
    except ScenarioError as error:
        kind.component = None  # it stands nowhere, so nothing can follow from it
        if seen.text is None:
            return []  # the start is no better known than the rest of the text
        return [Finding(_place(kind.members, line), line) for line in str(error).splitlines()]
    found = _unfit(model, kind.members, seen)
    if seen.clock is not None and seen.text is not None and hasattr(model, "uncovered"):
        found += [Finding(("until_s",), text) for text in model.uncovered(seen.clock.until_s)]
    if hasattr(model, "refusal"):
        names = [member.name for member in kind.members]
        for order in (order for order in seen.events.orders if order.unit in names):
            text = model.refusal(names.index(order.unit), order.params)
            found += [] if text is None else [Finding(order.path, text)]
    return found


def _alone(member: Member, seen: Examined) -> list[Finding]:
    """Return what a sound unit says of itself where another of its kind is broken."""
    if member.params is None or not hasattr(member.model, "unfit"):
        return []
    build: Callable[..., Component] = member.model
    try:
        model = build([member.params])
        model.reset(_context(seen, [member]))
    except SuandianError:
        return []  # told where the kind was built
    return _unfit(model, [member], seen)


def _unfit(model: Any, members: list[Member], seen: Examined) -> list[Finding]:
    if seen.clock is None or not hasattr(model, "unfit"):
        return []
    return [Finding(_place(members, text), text) for text in model.unfit(seen.clock.step_s)]


def _context(seen: Examined, members: list[Member]) -> Context:
    """Return what members get at reset; where the scenario's own text is wrong, a start of no meaning."""
    names = tuple(member.name for member in members)
    if seen.text is None:
        return Context(names=names)
    return Context(start=seen.text.begins(), streams=Streams(seen.text.seed), names=names)


def _place(members: list[Member], line: str) -> KeyPath:
    """Return the key a line is about: of the unit it begins with, else of the first."""
    member = next((member for member in members if line.startswith(f"{member.name}: ")), members[0])
    return (*member.path, *quoted_key(member.spec.params, line))


def _sold_twice(seen: Examined) -> list[Finding]:
    """Return activations of units whose range another unit sells, as a controller does."""
    found = []
    for order in (order for order in seen.events.orders if order.name == "activate"):
        sellers = {
            strand.source
            for strand in seen.wiring.strands
            if strand.target == order.unit and not strand.late and strand.source in seen.roster.members
        }
        for seller in sorted(sellers):
            if "activate" in commands_of(seen.roster.members[seller].model):
                text = f"{order.unit} is governed by {seller}, which sells what it can give"
                found.append(Finding(order.path, text, f"activate: {{unit: {seller}, ...}}"))
    return found
