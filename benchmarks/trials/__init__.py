"""What estimators are tried on in benchmarks."""
