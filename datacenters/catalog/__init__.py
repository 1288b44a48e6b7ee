"""What halls are filled with, as data: every number with its status and source."""
