"""Jitted arithmetic of the grid side."""
