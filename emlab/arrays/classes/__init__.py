"""2D classification: averages of the views of particles that learn from one batch after the other."""

from emlab.arrays.classes.expectation import Found, Views
from emlab.arrays.classes.learn import Field, Learned, learn
from emlab.arrays.classes.packed import pack, unpack
from emlab.arrays.classes.polar import Polar
from emlab.arrays.classes.prepare import shrunk, transfer_on, views
from emlab.arrays.classes.sheet import COLUMNS, contact_sheet

__all__ = [
    "COLUMNS",
    "Field",
    "Found",
    "Learned",
    "Polar",
    "Views",
    "contact_sheet",
    "learn",
    "pack",
    "shrunk",
    "transfer_on",
    "unpack",
    "views",
]
