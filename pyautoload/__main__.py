"""The command line: ``pyautoload`` and ``python -m pyautoload``."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; without the extra that it needs, say how to install that."""
    if sys.argv[1:2] == ["run"] and sys.argv[2:3] not in ([], ["-h"], ["--help"]):
        # Before anything else is imported: who runs a program this way does not want to wait.
        from pyautoload.programs.run_program import main as run

        run(sys.argv[2:])
    try:
        import click  # noqa: F401
        import rich  # noqa: F401
    except ImportError as error:
        print(
            f"pyautoload: the command line needs {error.name}, which is not installed: "
            f"{sys.executable} -m pip install 'pyautoload[cli]'",
            file=sys.stderr,
        )
        sys.exit(2)
    from pyautoload.cli import command

    command(prog_name="pyautoload")


if __name__ == "__main__":
    main()
