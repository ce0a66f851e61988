"""Sort particles into 2D classes while they come."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from emlab.errors import DataError
from emlab.model import Array, Classes, Parameters, Particles, Workbench, parameter, protocol

if TYPE_CHECKING:
    from emlab.arrays.classes import Field, Found, Learned, Views

_REACH: Final = 0.1
"""Of the particle's circle: how far from the middle of its box a particle is looked for, by default."""
_FEWEST: Final = 10
"""Particles that classes can begin with."""
_ASSIGNMENT: Final = np.dtype([
    ("member", "<u4"), ("particle", "<u4"), ("class_number", "<u2"), ("angle", "<f4"), ("shift_y", "<f4"),
    ("shift_x", "<f4"), ("certainty", "<f4"), ("score", "<f4"),
])  # fmt: skip


class ClassifyParticles(Parameters):
    """Parameters of `classify_particles`."""

    classes: int = parameter(
        20,
        ge=1,
        le=300,
        label="2D classes",
        help="The largest number of classes; there are fewer while particles are few.",
    )
    batch_size: int = parameter(
        1000,
        ge=50,
        le=100_000,
        unit="particles",
        label="Batch",
        help="The averages are updated each time this many new particles have come.",
    )
    mask_diameter: float | None = parameter(
        None,
        gt=0,
        unit="Å",
        label="Mask diameter",
        help="Diameter of the circle that holds the content of the averages. By default: the circle outside which the "
        "particles' background was measured.",
    )
    max_shift: float | None = parameter(
        None,
        ge=0,
        unit="Å",
        label="Largest shift",
        advanced=True,
        help="How far a particle may be from the middle of its image. By default: a tenth of the mask's diameter.",
    )
    class_size: int = parameter(
        64,
        ge=24,
        le=160,
        multiple_of=2,
        unit="px",
        label="Size of the averages",
        advanced=True,
        help="Particles are shrunk to this size before they are compared; the finest detail is two of the resulting "
        "pixels.",
    )
    random_seed: int = parameter(
        1,
        ge=0,
        label="Random seed",
        advanced=True,
        help="Seed of the random classes from which the first batch starts.",
    )


@protocol(
    title="2D classification",
    consumes=Particles,
    produces=Classes,
    share=lambda particles, parameters: particles.count / parameters.batch_size,
)
def classify_particles(
    batch: tuple[Particles, ...], before: Classes | None, parameters: ClassifyParticles, workbench: Workbench
) -> Classes:
    """Sort particles into 2D classes, batch by batch, and average them.

    Raises
    ------
    DataError
        If there are too few particles to begin with, or they differ in size.
    """
    # When the first batch comes: forms and commands, which only need the parameters, do not wait for these.
    from emlab.arrays.classes import contact_sheet, learn, pack, unpack

    members = [(number, particles) for number, particles in enumerate(batch) if particles.count]
    count = sum(particles.count for _, particles in members)
    if before is None and count < _FEWEST:
        raise DataError(f"There are only {count} particles; 2D classification needs at least {_FEWEST}. Pick more.")
    if not members and before is not None:
        nothing = np.zeros(0, _ASSIGNMENT)
        return replace(before, key=workbench.item, count=0, assignments=workbench.write_array("assignments", nothing))
    first = members[0][1]
    if odd := [each for _, each in members if (each.box_size, each.pixel_size) != (first.box_size, first.pixel_size)]:
        raise DataError(
            f"The particles of {odd[0].key} have {odd[0].box_size} px of {odd[0].pixel_size:g} Å, and those of "
            f"{first.key} {first.box_size} px of {first.pixel_size:g} Å; classes need one size."
        )
    size, pixel_size, diameter = _size(first, before, parameters)
    field = _field(size, pixel_size, diameter, parameters)
    views = _views(field, [particles for _, particles in members], pixel_size, workbench)
    known = unpack(workbench.read_array(before.learned), before.noise, before.batches) if before else None
    learned, found = learn(field, views, known, parameters.classes, parameters.random_seed)

    averages = field.polar.images(field.averages(learned))
    active = int(np.flatnonzero(learned.sums.mass)[-1]) + 1
    shares = learned.shares[:active]
    sizes = np.bincount(found.classes, minlength=active).astype(float)
    if before is not None:
        sizes[: len(before.sizes)] += before.sizes
    rings = learned.resolved[:active]
    resolutions = np.where(rings > 0, size * pixel_size / np.maximum(rings, 1), np.nan)
    return Classes(
        key=workbench.item,
        acquired_at=max((each.acquired_at for each in batch if each.acquired_at is not None), default=None),
        averages=workbench.write_stack("averages", averages[:active], pixel_size),
        picture=workbench.write_picture("averages", contact_sheet(averages[np.argsort(-shares, kind="stable")]), 92),
        assignments=workbench.write_array("assignments", _assignments(members, found, pixel_size)),
        learned=workbench.write_array("learned", pack(learned)),
        noise=tuple(learned.noise.tolist()),
        batches=learned.batches,
        count=count,
        total=count + (before.total if before else 0),
        box_size=size,
        pixel_size=pixel_size,
        diameter=diameter,
        shares=tuple(shares.tolist()),
        sizes=tuple(sizes.tolist()),
        resolutions=tuple(resolutions.tolist()),
        warning=_warning(learned, found, count),
    )


def _size(first: Particles, before: Classes | None, parameters: ClassifyParticles) -> tuple[int, float, float]:
    """Size of the averages (px), their pixels (Å) and the mask's diameter (Å)."""
    size = min(parameters.class_size, first.box_size - first.box_size % 2)
    pixel_size = first.pixel_size * first.box_size / size
    diameter = min(parameters.mask_diameter or first.diameter, first.pixel_size * first.box_size)
    if before is not None and (before.box_size, round(before.pixel_size, 4)) != (size, round(pixel_size, 4)):
        raise DataError(
            f"The particles of {first.key} make averages of {size} px of {pixel_size:g} Å, and those before them of "
            f"{before.box_size} px of {before.pixel_size:g} Å; classes need one size."
        )
    return size, pixel_size, diameter


def _field(size: int, pixel_size: float, diameter: float, parameters: ClassifyParticles) -> Field:
    from emlab.arrays.classes import Field, Polar

    reach = _REACH * diameter if parameters.max_shift is None else parameters.max_shift
    radius = min(diameter / 2 / pixel_size, size / 2 - 4)
    return Field(Polar.of_images(size, min(radius + 4, size / 2)), radius, max(reach / pixel_size, 1.0))


def _views(field: Field, members: list[Particles], pixel_size: float, workbench: Workbench) -> Views:
    from emlab.arrays.classes import shrunk, transfer_on, views
    from emlab.arrays.ctf import Defocus, Lens

    size = field.polar.box
    stacks, transfers = [], []
    for each in members:
        assert each.stack is not None  # noqa: S101
        stacks.append(shrunk(workbench.read_stack(each.stack), size))
        lens = Lens.of_microscope(each.voltage, each.spherical_aberration, each.amplitude_contrast)
        defocus = Defocus.from_axes(each.defocus_u, each.defocus_v, each.defocus_angle, each.phase_shift)
        transfers.append(transfer_on(field.polar, pixel_size, lens, defocus, flipped=each.phases_flipped))
    which = np.repeat(np.arange(len(members)), [len(stack) for stack in stacks])
    return views(field.polar, np.concatenate(stacks), field.particle_mask, np.stack(transfers), which)


def _assignments(members: list[tuple[int, Particles]], found: Found, pixel_size: float) -> Array:
    columns: dict[str, Any] = {
        "member": np.repeat([number for number, _ in members], [each.count for _, each in members]),
        "particle": np.concatenate([np.arange(each.count) for _, each in members]),
        "class_number": found.classes + 1,
        "angle": found.turns,
        "shift_y": -found.shifts[:, 0] * pixel_size,
        "shift_x": -found.shifts[:, 1] * pixel_size,
        "certainty": found.certainty,
        "score": found.score,
    }
    table = np.empty(len(found.classes), _ASSIGNMENT)
    for name, column in columns.items():
        table[name] = column
    return table


def _warning(learned: Learned, found: Found, count: int) -> str | None:
    if not np.any(learned.resolved):
        return "In no class do two halves of the particles agree on anything: these may not be particles."
    if count and learned.shares.max() > 0.9 and (learned.shares > 0).sum() > 1:
        return f"Class {int(learned.shares.argmax()) + 1} holds {learned.shares.max():.0%} of the particles."
    return None
