"""Figures that live panels and report share; each comes from its own file, for bqplot takes seconds to import."""
