"""Numerical work on arrays, for CPU and GPU; functions of arrays and numbers, nothing else."""
