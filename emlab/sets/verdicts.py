"""What people decided, as it stands."""

from __future__ import annotations

from collections.abc import Iterable

from emlab.sets.entries import Judgement, Verdict


def verdicts(judgements: Iterable[Judgement]) -> dict[str, Verdict]:
    """The newest verdict on each item that has one: ``rejected`` or ``restored``."""
    return {judgement.key: judgement.verdict for judgement in judgements if judgement.verdict != "noted"}
