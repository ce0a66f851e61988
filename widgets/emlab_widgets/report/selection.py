"""What was selected, and why the rest was not."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from emlab.model import Rejected
from emlab.monitors import Items, counted, number
from emlab.session import Session
from emlab.sets import lineage
from emlab_widgets.html import Html, empty, table

_OWN_VALUE = re.compile(r" [-−]?\d\S*( \S+)? is(?= (above|below) )")


def selection(session: Session, items: Items) -> Html:
    """Give how many micrographs were accepted, the limits that the others missed, and what people decided."""
    accepted, rejected = (int((items.decision == decision).sum()) for decision in (1, 2))
    total = accepted + rejected
    if not total:
        return Html(empty("The selection appears here when the first micrograph has been judged."))
    html = (
        f'<div class="emlab-share" role="img" aria-label="{accepted / total:.0%} accepted">'
        f'<div style="width: {accepted / total:.3%}"></div></div>'
        f"<p><b>{number(accepted)}</b> of {counted(total, 'micrograph')} accepted ({accepted / total:.1%}), "
        f"<b>{number(rejected)}</b> rejected.</p>"
    )
    if by_hand := np.isfinite(items["verdict"]).sum():
        html += f"<p>{counted(int(by_hand), 'micrograph')} decided by hand, whatever the limits say.</p>"
    if rejected:
        rows = [(limit, number(count), f"{count / total:.1%}") for limit, count in _missed(session).most_common()]
        html += table(("Limit missed", "Micrographs", "Share"), rows, numbers=(1, 2))
        html += "<p>A micrograph that missed several limits is counted under each.</p>"
    return Html(html)


def _missed(session: Session) -> Counter[str]:
    """Count the limits that were missed: the reasons without the micrograph's own value."""
    missed: Counter[str] = Counter()
    line = lineage(session.sets, session.runs)
    if Rejected.kind in line:
        reasons = line[Rejected.kind].to_dataframe(columns=["reason"])["reason"]
        missed.update(_OWN_VALUE.sub("", part, count=1) for text in reasons for part in text.rstrip(".").split("; "))
    return missed
