"""Arithmetic of direct-current links."""
