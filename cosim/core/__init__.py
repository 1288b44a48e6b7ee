"""What every layer shares: units, parameters, protocols, registry, clock, streams, errors, jit."""
