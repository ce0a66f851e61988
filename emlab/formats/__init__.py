"""Files of the field, one format per module: read and write, nothing else."""
