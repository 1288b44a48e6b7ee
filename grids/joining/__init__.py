"""Several cases as one: provinces of a synchronous area joined by their ties, areas side by side.

`grids.case.load_cases` reads the cases, `join` composes their tables before a net is built; what it needs to
know about their borders is in `grids/interconnection`. See docs/models/interconnection.md.
"""

from grids.joining.join import join as join
