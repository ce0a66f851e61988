"""Whoever imports this has imported whatever pages need: the process that their kernels are copies of."""

from __future__ import annotations

import gc

import ipykernel.debugger
import ipykernel.kernelapp

import emlab_widgets.form
import emlab_widgets.panels.monitor
from emlab_widgets.no_configuration import keep_no_configuration
from emlab_widgets.panels.opening import import_panels

__all__ = ["emlab_widgets", "ipykernel"]

import_panels()
keep_no_configuration()
# What is never looked at by the garbage collector stays in memory that the copies share.
gc.freeze()
