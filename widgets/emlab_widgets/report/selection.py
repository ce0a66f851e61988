"""What was selected, and why the rest was not."""

from __future__ import annotations

import re
from collections import Counter

from emlab.model import Rejected
from emlab.monitors import Overview, counted, number
from emlab.session import Session
from emlab_widgets.html import Html, empty, table

_OWN_VALUE = re.compile(r" [-−]?\d\S*( \S+)? is(?= (above|below) )")


def selection(session: Session, overview: Overview) -> Html:
    """Give how many micrographs were accepted, and the limits that the others missed."""
    accepted, rejected = overview.counts.get("accepted", 0), overview.counts.get("rejected", 0)
    total = accepted + rejected
    if not total:
        return Html(empty("Which micrographs are good appears here when the first one has been judged."))
    html = (
        f'<div class="emlab-share" role="img" aria-label="{accepted / total:.0%} accepted">'
        f'<div style="width: {accepted / total:.3%}"></div></div>'
        f"<p><b>{number(accepted)}</b> of {counted(total, 'micrograph')} accepted ({accepted / total:.1%}), "
        f"<b>{number(rejected)}</b> rejected.</p>"
    )
    if rejected:
        rows = [(limit, number(count), f"{count / total:.1%}") for limit, count in _missed(session).most_common()]
        html += table(("Limit missed", "Micrographs", "Of all"), rows, numbers=(1, 2))
        html += "<p>A micrograph that missed several limits is counted under each.</p>"
    return Html(html)


def _missed(session: Session) -> Counter[str]:
    """Count the limits that were missed: the reasons without the micrograph's own value."""
    missed: Counter[str] = Counter()
    for collection in session.sets.values():
        if collection.kind == Rejected.kind:
            reasons = collection.to_dataframe(columns=["reason"])["reason"]
            missed.update(
                _OWN_VALUE.sub("", part, count=1) for text in reasons for part in text.rstrip(".").split("; ")
            )
    return missed
