"""Exit codes of the commands, and errors raised on purpose as messages."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

EXIT_PASS, EXIT_VERDICT_FAILS, EXIT_BAD_INPUT, EXIT_MODEL_BROKE = 0, 1, 2, 3
EXIT_INTERRUPTED = 130


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn errors raised on purpose into a message and the exit code that says who can act."""
    from cosim.core.errors import ComponentError, SuandianError  # noqa: PLC0415 - --help needs no models

    try:
        yield
    except OSError as error:
        typer.secho(f"{error.filename}: {error.strerror}", fg="red", err=True)
        raise typer.Exit(EXIT_BAD_INPUT) from error
    except ComponentError as error:
        typer.secho(f"{type(error).__name__}: {error}", fg="red", err=True)
        raise typer.Exit(EXIT_MODEL_BROKE) from error
    except SuandianError as error:
        typer.secho(f"{type(error).__name__}:\n{error}", fg="red", err=True)
        raise typer.Exit(EXIT_BAD_INPUT) from error
    except KeyboardInterrupt as error:
        typer.secho("interrupted; what was written so far is readable, marked incomplete", fg="red", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from error
