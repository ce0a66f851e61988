// Charts one above the other, which show the same span of time.

const SPANS = [["All", 0], ["24 h", 86400], ["6 h", 21600], ["1 h", 3600]];
const STILL = 120; // ms without a move after which what is in sight is summed up
const COLOURS = ["faint", "line", "rejected", "ground", "ink", "bad"];

let panels = 0;

class Panel {
  constructor(model, store, element) {
    Object.assign(this, { model, store, element, window: 0, name: `emlab-${panels++}`, isMoving: false });
    this.charts = model.get("charts").map((_, index) => new Chart(this, index));
    this.spans = document.createElement("div");
    this.spans.className = "emlab-spans";
    this.spans.setAttribute("role", "group");
    this.spans.setAttribute("aria-label", "Span of time");
    for (const [label, seconds] of SPANS) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      button.onclick = () => this.show(seconds);
      button.dataset.seconds = seconds;
      this.spans.append(button);
    }
    const hint = document.createElement("span");
    hint.textContent = "Drag to zoom, double-click to show all. Keyboard: + − 0 to zoom, arrows to step through points";
    this.spans.append(hint);
    const grid = document.createElement("div");
    grid.className = "emlab-charts";
    grid.append(...this.charts.map((chart) => chart.element));
    element.append(this.spans, grid);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(grid);
    this.repaint = () => { this.palette = null; this.request("redraw"); };
    // Paper is light, and does not wait for the next frame.
    this.printed = () => { this.palette = null; for (const { uplot } of this.charts) uplot?.redraw(); };
    this.redraw = () => this.request("redraw");
    this.refresh = () => this.request("setData");
    this.themed = new MutationObserver(this.repaint);
    this.themed.observe(document.body, { attributes: true });
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.dark.addEventListener("change", this.repaint);
    addEventListener("beforeprint", this.printed);
    store.listeners.add(this.refresh);
    model.on("change:chosen", this.redraw);
    model.on("change:limits", this.refresh);
    this.mark();
  }

  remove() {
    this.observer.disconnect();
    this.themed.disconnect();
    this.dark.removeEventListener("change", this.repaint);
    removeEventListener("beforeprint", this.printed);
    this.store.listeners.delete(this.refresh);
    this.model.off("change:chosen", this.redraw);
    this.model.off("change:limits", this.refresh);
    cancelAnimationFrame(this.frame);
    clearTimeout(this.resting);
    for (const { uplot } of this.charts) uplot?.destroy();
  }

  colour(name) {
    if (!this.palette) {
      const style = getComputedStyle(this.element);
      const value = (known) => style.getPropertyValue(`--emlab-${known}`).trim();
      this.palette = Object.fromEntries(COLOURS.map((known) => [known, value(known) || "#888"]));
      for (const { facts } of this.charts) this.palette[facts.colour] = lifted(facts.colour, Number(value("lift")));
    }
    return this.palette[name];
  }

  // A panel that is hidden, or not laid out yet, has no width, and is drawn when it has one.
  resize() {
    for (const chart of this.charts) {
      const width = Math.floor(chart.plotted.clientWidth);
      if (!width) continue;
      if (!chart.uplot) chart.uplot = chart.plot(width);
      else if (chart.uplot.width !== width) chart.uplot.setSize({ width, height: chart.facts.height });
    }
  }

  // Draw in the next frame: once, whatever has been asked for until then.
  request(what) {
    this.wanted = { ...this.wanted, [what]: true };
    this.frame ??= requestAnimationFrame(() => {
      const { setData, setScale } = this.wanted, [min, max] = this.range();
      this.frame = this.wanted = null;
      for (const chart of this.charts) {
        if (setData) chart.uplot?.setData(chart.data());
        else if (setScale) chart.uplot?.setScale("x", { min, max });
        else chart.uplot?.redraw(false, true);
      }
    });
  }

  range() {
    if (Array.isArray(this.window)) return this.window;
    const { time } = this.store.sorted, now = Date.now() / 1e3;
    const last = time.at(-1) ?? now, first = this.window ? Math.max(last - this.window, time[0] ?? now) : (time[0] ?? now);
    const margin = Math.max(0.03 * (last - first), 10);
    return [first - margin, last + margin];
  }

  // The places, in the order of time, of the first point in sight and of the first one after those.
  sight() {
    const { time } = this.store.sorted, [from, to] = this.range();
    let end = before(time, to);
    while (time[end] === to) end++;
    return [before(time, from), end];
  }

  // A span of time: seconds up to the newest, 0 for all, or from when to when.
  show(span) {
    this.window = span;
    this.mark();
    this.isMoving = true;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      this.isMoving = false;
      for (const chart of this.charts) if (chart.uplot) chart.summarize();
    }, STILL);
    this.request("setScale");
  }

  mark() {
    for (const button of this.spans.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.seconds) === this.window));
    }
  }

  wheel(event, plot) {
    if (!event.ctrlKey && !event.shiftKey && Math.abs(event.deltaX) < Math.abs(event.deltaY)) return; // the page scrolls
    event.preventDefault();
    const [from, to] = this.range(), width = to - from;
    if (event.ctrlKey) this.zoom(plot.posToVal(event.offsetX, "x"), Math.exp(event.deltaY / 300));
    else {
      const step = (width * (event.deltaX || event.deltaY)) / plot.over.clientWidth;
      this.show([from + step, to + step]);
    }
  }

  // Show as many times the span, with what is there now at the same place.
  zoom(at, factor) {
    const [from, to] = this.range();
    this.show([at - (at - from) * factor, at + (to - at) * factor]);
  }

  key(event, chart) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key], factor = { "+": 1 / 1.4, "-": 1.4 }[event.key];
    if (!(step || factor || event.key === "0") || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    if (event.key === "0") this.show(0);
    if (factor) {
      const [from, to] = this.range(), time = this.store.time[this.model.get("chosen")];
      this.zoom(time >= from && time <= to ? time : (from + to) / 2, factor);
    }
    if (!step) return;
    const { rows, values } = this.store.sorted, column = values[chart.index];
    let place = rows.indexOf(this.model.get("chosen"));
    do place += step; while (place >= 0 && place < rows.length && !Number.isFinite(column[place]));
    if (place >= 0 && place < rows.length) this.choose(rows[place]);
  }

  choose(row) {
    this.model.set("chosen", row);
    this.model.send({ chosen: row });
  }
}

export default () => {
  let store;
  return {
    initialize({ model }) {
      store = new Store(model);
      model.on("change:data", () => store.take(model.get("data"), model.get("origin")));
      model.on("msg:custom", (_message, [patch]) => store.take(patch, model.get("origin")));
      model.send({ fresh: true });
    },
    render({ model, el }) {
      const panel = new Panel(model, store, el);
      return () => panel.remove();
    },
  };
};
