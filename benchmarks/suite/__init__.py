"""One benchmark a file: its docstring is the title, ``run(plan)`` returns the groups that were measured."""
