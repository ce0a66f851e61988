"""What is computed from sets for people: rates, series, histograms; headless."""
