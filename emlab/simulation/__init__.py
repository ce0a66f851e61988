"""A simulated microscope that writes true movies."""
