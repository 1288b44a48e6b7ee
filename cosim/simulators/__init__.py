"""Adapters between components, grid and results on one side and mosaik on the other.

Simulators form a ring: stages in order, grid, recorder, and the recorder's row count back to the first
stage one exchange late, so nobody runs ahead and memory stays flat. Along the ring travels one `Board`
with everything published so far in the exchange, by reference; the grid sends its board to the stages a
second time, one exchange late. Measured with mosaik 3.6 and five simulators, a ring costs 0.6 ms an
exchange where links between every two that share a wire cost 1.0 to 1.4 ms.
"""
