"""The version of emlab."""

__version__ = "0.1.0"
