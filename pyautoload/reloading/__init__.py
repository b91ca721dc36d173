"""Reloading: bring what is loaded up to date with what is on disk. Imported only when reloading is enabled."""
