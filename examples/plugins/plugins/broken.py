"""A plugin that cannot be loaded: the others work all the same."""

raise RuntimeError("this plugin needs a licence")
