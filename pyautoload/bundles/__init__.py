"""Bundles: one file with the scan of a tree and all its code, written by ``pyautoload build``, read at the start.

The loader's start and ``AutoLoader.build_bundle`` call this. Whatever is wrong with a bundle, the start goes on
without it.
"""
