"""Exceptions, named after who can act on them. A breached limit is a result, not an error."""


class SuandianError(Exception):
    """Base of every error raised on purpose; its text is meant for the user."""


class ScenarioError(SuandianError):
    """The author of a scenario file can mend it."""


class CaseError(SuandianError):
    """The author of a grid case can mend it."""


class ComponentError(SuandianError):
    """The author of a component model can mend it."""


class SolveError(SuandianError):
    """Nobody erred: the grid has no solution for these injections, which is a finding."""


class ResultsError(SuandianError):
    """A results folder is missing, incomplete or not one of ours."""


def collected(findings: list[str], error: type[SuandianError]) -> None:
    """Raise `error` with all findings at once, one a line; do nothing when there are none."""
    if findings:
        raise error("\n".join(findings))
