"""What a browser gets from us: the script in a page, what it is told, the overlay, pages that show an error.

``middleware/``, ``application/`` and ``server/`` call this; it knows neither loaders nor servers.
"""
