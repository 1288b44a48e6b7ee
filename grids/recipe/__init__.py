"""Recipe of the province cases: what follows from their tables by rule. See docs/cases.md.

A province's network, plants and shares are tables of its case folder; `recipe.yaml` beside them says what
holds at each operating point. `python -m grids.recipe NAME` works out the rest and writes
`operating_points/` and `expected/`: loads, wind and PV, dispatch, shunt steps, taps.
"""
