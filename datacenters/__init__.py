"""GPU halls, storage, profiles and the work that moves between them."""
