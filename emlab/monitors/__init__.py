"""What is computed from sets for people: rates, series, histograms; headless."""

from emlab.monitors.alarms import Alarm, Alarms
from emlab.monitors.comparison import Agreement, Comparison, different_parameters
from emlab.monitors.events import Events
from emlab.monitors.groups import grouped, means, medians
from emlab.monitors.histogram import ENOUGH, Histogram, histogram, quantiles, robust_range
from emlab.monitors.items import MEASURES, Items
from emlab.monitors.line import Line
from emlab.monitors.magnifier import Magnifier, clipped
from emlab.monitors.overview import Overview, Overviewer
from emlab.monitors.pictures import reduced
from emlab.monitors.progress import progress_lines
from emlab.monitors.rates import per_hour
from emlab.monitors.rule import BOUNDS, Rule, by_measure, in_force, kept, selection_rule
from emlab.monitors.search import matching
from emlab.monitors.situation import Situation
from emlab.monitors.stages import Stage, Stages
from emlab.monitors.system import GpuLoad, Load, System
from emlab.monitors.thinning import thinned
from emlab.monitors.watched import Watched
from emlab.monitors.words import clock, counted, duration, moment, number

__all__ = [
    "BOUNDS",
    "ENOUGH",
    "MEASURES",
    "Agreement",
    "Alarm",
    "Alarms",
    "Comparison",
    "Events",
    "GpuLoad",
    "Histogram",
    "Items",
    "Line",
    "Load",
    "Magnifier",
    "Overview",
    "Overviewer",
    "Rule",
    "Situation",
    "Stage",
    "Stages",
    "System",
    "Watched",
    "by_measure",
    "clipped",
    "clock",
    "counted",
    "different_parameters",
    "duration",
    "grouped",
    "histogram",
    "in_force",
    "kept",
    "matching",
    "means",
    "medians",
    "moment",
    "number",
    "per_hour",
    "progress_lines",
    "quantiles",
    "reduced",
    "robust_range",
    "selection_rule",
    "thinned",
]
