"""What ``suite/serve.py`` is made of: the applications, the servers that run them, and the client that asks them."""
