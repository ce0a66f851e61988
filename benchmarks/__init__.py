"""Figures of speed and accuracy: ``python -m benchmarks NAME``; not part of the tests."""
