"""A plugin in a namespace of its own, which the host loads as a whole."""


class AsCsv:
    """Joins by commas."""

    def run(self, text):
        return ",".join(text.split())
