"""Compiled parts every dynamic model shares: control blocks, network solution, integrators."""
