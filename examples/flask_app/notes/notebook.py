"""All notes, in memory."""

from __future__ import annotations

from notes.note import Note


class Notebook:
    """Keeps notes in the order of writing."""

    def __init__(self) -> None:
        self.notes: list[Note] = []

    def add(self, text: str) -> Note:
        """Write a note down."""
        note = Note(text)
        self.notes.append(note)
        return note


# Edits of any file leave it as it is: what was written before an edit is there after it.
notebook = Notebook()
