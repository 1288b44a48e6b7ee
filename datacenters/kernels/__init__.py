"""Jitted arithmetic of the data-centre side."""
