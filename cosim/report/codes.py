"""What the numbers of a `_code` column mean, read from the port's own description."""

import re

from cosim.core.registry import UnknownNameError, components


def meanings(kind: str, column: str) -> list[tuple[float, str]]:
    """Return number and name of each state of a column, as its port lists them: `0 idle, 1 warm-up`.

    Empty where the kind is not installed (any more), or its description lists none.
    """
    try:
        ports = components().get(kind).outputs if column.endswith("_code") else ()
    except UnknownNameError:
        return []
    described = next((port.description for port in ports if port.name == column), "")
    found = re.findall(r"(?:^|[,;:] )(\d+) ([^,;]+)", described)
    return [(float(number), name.strip()) for number, name in found]
