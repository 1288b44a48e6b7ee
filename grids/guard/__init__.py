"""The stability guard: how much more may be drawn, tried on a fork of the present state."""
