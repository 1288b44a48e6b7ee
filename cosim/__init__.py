"""Suandian: grid-datacentre co-simulation. Only the version lives here, so every import stays light."""

__version__ = "0.1.0"
