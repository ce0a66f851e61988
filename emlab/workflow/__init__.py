"""Workflows: which protocols, how they connect, what a person is asked."""
