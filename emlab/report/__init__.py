"""Notebooks executed and turned into one offline HTML file."""
