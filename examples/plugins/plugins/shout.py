"""A plugin that uses another one."""

from plugins import Greet


class Shout(Greet):
    """Greets loudly."""

    def run(self, text):
        return super().run(text).upper()
