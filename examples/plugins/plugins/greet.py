"""A plugin: any file in this directory that defines what its name says."""


class Greet:
    """Greets."""

    def run(self, text):
        return f"Hello, {text}!"
