"""A text."""

from __future__ import annotations

import re
from collections import Counter


class Text:
    """Something that consists of words."""

    def __init__(self, content: str) -> None:
        self.words = re.findall(r"\w+", content.lower())

    def frequencies(self) -> Counter[str]:
        """How often each word occurs."""
        return Counter(self.words)
