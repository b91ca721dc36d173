"""The benchmarks of PyAutoload: ``python -m benchmarks NAME``, ``python -m benchmarks all``."""
