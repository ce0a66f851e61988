"""The papers behind the methods, and text that cites them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Final

_CITATION = re.compile(r"\[@([\w,]+)\]")


@dataclass(frozen=True)
class Work:
    """A paper."""

    authors: str
    title: str
    journal: str
    doi: str

    @property
    def html(self) -> str:
        """The paper as it stands in a list of references."""
        return (
            f"{escape(self.authors)} {escape(self.title)}. {escape(self.journal)}. "
            f'<a href="https://doi.org/{escape(self.doi)}">doi:{escape(self.doi)}</a>'
        )


WORKS: Final = {
    "zheng": Work(
        "Zheng, S. Q. et al.",
        "MotionCor2: anisotropic correction of beam-induced motion for improved cryo-electron microscopy",
        "Nat. Methods 14, 331–332 (2017)",
        "10.1038/nmeth.4193",
    ),
    "zivanov": Work(
        "Zivanov, J., Nakane, T. & Scheres, S. H. W.",
        "A Bayesian approach to beam-induced motion correction in cryo-EM single-particle analysis",
        "IUCrJ 6, 5–17 (2019)",
        "10.1107/S205225251801463X",
    ),
    "tegunov": Work(
        "Tegunov, D. & Cramer, P.",
        "Real-time cryo-electron microscopy data preprocessing with Warp",
        "Nat. Methods 16, 1146–1152 (2019)",
        "10.1038/s41592-019-0580-y",
    ),
    "grant": Work(
        "Grant, T. & Grigorieff, N.",
        "Measuring the optimal exposure for single particle cryo-EM using a 2.6 Å reconstruction of rotavirus VP6",
        "eLife 4, e06980 (2015)",
        "10.7554/eLife.06980",
    ),
    "rohou": Work(
        "Rohou, A. & Grigorieff, N.",
        "CTFFIND4: fast and accurate defocus estimation from electron micrographs",
        "J. Struct. Biol. 192, 216–221 (2015)",
        "10.1016/j.jsb.2015.08.008",
    ),
    "roseman": Work(
        "Roseman, A. M.",
        "Particle finding in electron micrographs using a fast local correlation algorithm",
        "Ultramicroscopy 94, 225–236 (2003)",
        "10.1016/S0304-3991(02)00333-9",
    ),
    "scheres": Work(
        "Scheres, S. H. W.",
        "A Bayesian view on cryo-EM structure determination",
        "J. Mol. Biol. 415, 406–418 (2012)",
        "10.1016/j.jmb.2011.11.010",
    ),
    "kimanius": Work(
        "Kimanius, D., Dong, L., Sharov, G., Nakane, T. & Scheres, S. H. W.",
        "New tools for automated cryo-EM single-particle analysis in RELION-4.0",
        "Biochem. J. 478, 4169–4185 (2021)",
        "10.1042/BCJ20210708",
    ),
    "guo": Work(
        "Guo, H. et al.",
        "Electron-event representation data enable efficient cryoEM file storage with full preservation of spatial "
        "and temporal resolution",
        "IUCrJ 7, 860–869 (2020)",
        "10.1107/S205225252000929X",
    ),
}
"""By the name that a text cites it with: ``[@grant]``, ``[@zheng,zivanov]``."""


def cited(sentences: Iterable[str]) -> tuple[str, list[Work]]:
    """Give the sentences as HTML, with numbers for what they cite, and the works in the order of their numbers."""
    works: list[str] = []

    def numbered(match: re.Match[str]) -> str:
        for name in match[1].split(","):
            if name not in works:
                works.append(name)
        numbers = sorted(works.index(name) + 1 for name in match[1].split(","))
        return f"<sup>{','.join(map(str, numbers))}</sup>"

    text = _CITATION.sub(numbered, escape(" ".join(sentences)))
    return text, [WORKS[name] for name in works]
