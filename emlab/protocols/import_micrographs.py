"""Import micrographs that were aligned elsewhere."""

from __future__ import annotations

import numpy as np

from emlab.arrays.thumbnail import thumbnail
from emlab.errors import DataError, FormatError
from emlab.model import Arrival, Micrograph, Workbench, parameter, protocol
from emlab.model.acquisition import Acquisition


class ImportMicrographs(Acquisition):
    """Parameters of `import_micrographs`."""

    pattern: str = parameter(
        "**/*.mrc, **/*.tif, **/*.tiff, !**/*_PS.mrc, !**/*_noDW.mrc, !**/*_EVN.mrc, !**/*_ODD.mrc, "
        "!**/*_[Ff]ractions.tif*, !**/[Gg]ain[!a-z]*, !**/*[!A-Za-z]gain[!a-z]*, !**/*Gain[!a-z]*, !**/*[Gg]ain[Rr]ef*",
        label="File names",
        help="Which files are micrographs: names relative to the folder, with * and ?, and ** for any folders in "
        "between. Separate several with commas; one that begins with ! excludes files. By default everything "
        "except gains, EPU's movies, and what motion correction writes beside a micrograph.",
    )
    total_dose: float | None = parameter(
        None,
        gt=0,
        unit="e/Å²",
        label="Total dose",
        advanced=True,
        help="Dose on the specimen over the whole exposure. By default: from the XML or mdoc beside the file.",
    )


@protocol(title="Import micrographs", consumes=Arrival, produces=Micrograph)
def import_micrographs(arrival: Arrival, parameters: ImportMicrographs, workbench: Workbench) -> Micrograph:
    """Import each micrograph as soon as it is complete.

    Raises
    ------
    FormatError
        If the file is not a single image.
    DataError
        If its pixels are blank or not numbers.
    ParameterError
        If its pixel size or voltage is not known.
    """
    facts = workbench.inspect(arrival)
    if facts.frames > 1:
        raise FormatError(
            f"{arrival.path} has {facts.frames} frames, but a micrograph has one: import movies with import_movies."
        )
    sidecar = workbench.sidecar(arrival)
    imaged = parameters.imaged(arrival.path, facts, sidecar)
    image = workbench.read_image(arrival.path)
    low, high = float(image.min()), float(image.max())
    if not np.isfinite(high - low):
        raise DataError(f"{arrival.path} has pixels that are not finite numbers; align or export it again.")
    if low == high:
        raise DataError(f"{arrival.path} is blank: every pixel is {low:g}; align or export it again.")
    return Micrograph(
        key=arrival.key,
        path=arrival.path,
        height=facts.height,
        width=facts.width,
        thumbnail=workbench.write_picture("thumbnail", thumbnail(image)),
        total_dose=parameters.total_dose or (sidecar.total_dose if sidecar else None),
        **imaged,
    )
