"""Dynamic models, one file each; a file's name is the name of its table in a case."""
