"""Counts and shows the words of a text: ``python main.py --help``."""

from __future__ import annotations

from pathlib import Path

from pyautoload import AutoLoader

loader = AutoLoader(Path(__file__).parent / "words").setup()


def main() -> None:
    """Run the command that the command line names."""
    import words

    words.CommandLine(help=__doc__).main(prog_name="words")


if __name__ == "__main__":
    main()
