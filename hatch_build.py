"""The README on the package index: links and pictures are relative in the repository, and absolute there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)]+)\)")


def for_the_index(text: str, repository: str, ref: str) -> str:
    """A page of the repository with every relative link made absolute.

    Args:
        text: Markdown.
        repository: ``"https://github.com/owner/name"``.
        ref: a branch or tag, ``"v0.1.0"``.
    """

    def absolute(link: re.Match[str]) -> str:
        picture, title, target = link.groups()
        return f"{picture}[{title}]({repository}/{'raw' if picture else 'blob'}/{ref}/{target})"

    return _LINK.sub(absolute, text)


class ReadmeHook(MetadataHookInterface):
    """Gives the project its ``readme``."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in what pyproject.toml calls dynamic."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        page = for_the_index(text, metadata["urls"]["Repository"], f"v{metadata['version']}")
        metadata["readme"] = {"content-type": "text/markdown", "text": page}
