"""A protocol: what it consumes, what it produces, its parameters, and the function that does the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_type_hints

from emlab.model.arrival import Arrival
from emlab.model.parameters import Parameters
from emlab.model.record import Record


@dataclass(frozen=True)
class Protocol:
    """One step of a session, independent of files' whereabouts, processes, threads and devices.

    Attributes
    ----------
    name
        The function's name; what a workflow calls it.
    title, summary
        For people: a few words, and a sentence.
    consumes
        Kinds of records; the function takes one of each, all of the same item, in this order.
    produces
        Kinds of records; the function returns one of one of them. Each kind has a set of its own.
    parameters
        Model of the parameters.
    function
        ``function(*records, parameters, workbench) -> Record``; a fold's is
        ``function(batch, before, parameters, workbench) -> Record``.
    accelerated
        Whether it uses a GPU if there is one.
    share
        What makes it a fold: ``share(record, parameters)`` says how much of a batch a record is. Records are gathered
        in their order until their shares make 1; what is left when no more can come is a batch too. ``batch`` is the
        tuple of the gathered records, ``before`` the record made of the batch before, or ``None``.
    """

    name: str
    title: str
    summary: str
    consumes: tuple[type[Record], ...]
    produces: tuple[type[Record], ...]
    parameters: type[Parameters]
    function: Callable[..., Record]
    accelerated: bool = False
    share: Callable[[Any, Any], float] | None = None

    @property
    def is_fold(self) -> bool:
        """Whether it takes batches of records, each together with what the one before gave."""
        return self.share is not None

    @property
    def is_source(self) -> bool:
        """Whether it takes what the microscope writes."""
        return self.consumes == (Arrival,)


def protocol(
    *,
    title: str,
    consumes: type[Record] | tuple[type[Record], ...],
    produces: type[Record] | tuple[type[Record], ...],
    accelerated: bool = False,
    share: Callable[[Any, Any], float] | None = None,
) -> Callable[[Callable[..., Any]], Protocol]:
    """Make a protocol from a function ``(*records, parameters, workbench) -> record``; see `Protocol` for ``share``.

    Its name, its summary (the docstring's first line) and the model of its parameters (the annotation of its
    argument ``parameters``) are taken from the function.
    """

    def made(function: Callable[..., Any]) -> Protocol:
        return Protocol(
            name=function.__name__,
            title=title,
            summary=(function.__doc__ or "").strip().partition("\n")[0],
            consumes=consumes if isinstance(consumes, tuple) else (consumes,),
            produces=produces if isinstance(produces, tuple) else (produces,),
            parameters=get_type_hints(function)["parameters"],
            function=function,
            accelerated=accelerated,
            share=share,
        )

    return made
