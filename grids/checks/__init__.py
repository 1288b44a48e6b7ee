"""What every case must pass, at every operating point: `suandian validate`."""
