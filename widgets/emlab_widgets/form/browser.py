"""What the form asks of the browser: to keep a draft, and to go to another page."""

from __future__ import annotations

import anywidget
import traitlets


class Browser(anywidget.AnyWidget):
    """Keeps a text in the browser, so that a page that is loaded again has it; shows nothing.

    Attributes
    ----------
    found
        What was kept when the page was loaded; empty where nothing was.
    kept
        What is to be kept; nothing where it is empty.
    """

    _esm = """
    const KEY = "emlab-launch";
    export default {
      render({ model, el }) {
        el.style.display = "none";
        const keep = () => {
          const kept = model.get("kept");
          if (kept) localStorage.setItem(KEY, kept); else localStorage.removeItem(KEY);
        };
        const go = (message) => { if (message.go) window.location.assign(message.go); };
        model.on("change:kept", keep);
        model.on("msg:custom", go);
        const found = localStorage.getItem(KEY);
        if (found) { model.set("found", found); model.save_changes(); }
        return () => { model.off("change:kept", keep); model.off("msg:custom", go); };
      },
    };
    """
    found = traitlets.Unicode().tag(sync=True)
    kept = traitlets.Unicode().tag(sync=True)

    def go(self, address: str) -> None:
        """Go to another page."""
        self.send({"go": address})
