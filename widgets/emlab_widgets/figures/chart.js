// Points over time, several measures one above the other with one time axis. uPlot does axes, cursor and zoom; the
// points are drawn here, since 100,000 of them have to follow the mouse. `uPlot` is defined by what stands before.

const FIELDS = 3; // row, time and decision, before the measures
const REJECTED = 2;
const REACH = 14; // px from a point at which a click still means it
const SPANS = [["All", 0], ["24 h", 86400], ["6 h", 21600], ["1 h", 3600]];

class Store {
  constructor(model) {
    this.count = 0;
    this.measures = model.get("charts").length;
    this.time = new Float64Array(1024);
    this.state = new Uint8Array(1024);
    this.values = Array.from({ length: this.measures }, () => new Float64Array(1024));
    this.listeners = new Set();
    this.take(model.get("data"), model.get("origin"));
  }

  grow(count) {
    if (count > this.time.length) {
      const size = Math.max(count, 2 * this.time.length);
      const grown = (old) => { const made = new old.constructor(size); made.set(old); return made; };
      this.time = grown(this.time);
      this.state = grown(this.state);
      this.values = this.values.map(grown);
    }
    for (let row = this.count; row < count; row++) {
      this.time[row] = NaN;
      for (const column of this.values) column[row] = NaN;
    }
    this.count = Math.max(this.count, count);
  }

  take(view, origin) {
    if (!view || !view.byteLength) return;
    const numbers = new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
    const width = FIELDS + this.measures;
    let last = -1;
    for (let at = 0; at < numbers.length; at += width) last = Math.max(last, numbers[at]);
    this.grow(last + 1);
    for (let at = 0; at < numbers.length; at += width) {
      const row = numbers[at];
      this.time[row] = origin + numbers[at + 1];
      this.state[row] = numbers[at + 2];
      for (let m = 0; m < this.measures; m++) this.values[m][row] = numbers[at + FIELDS + m];
    }
    this.order = null;
    for (const listener of this.listeners) listener();
  }

  // Rows in the order of their times: uPlot takes no others.
  sorted() {
    if (!this.order) {
      const known = [];
      let isSorted = true;
      for (let row = 0; row < this.count; row++) {
        if (!Number.isFinite(this.time[row])) continue;
        isSorted &&= !known.length || this.time[row] >= this.time[known.at(-1)];
        known.push(row);
      }
      if (!isSorted) known.sort((a, b) => this.time[a] - this.time[b]);
      this.order = known;
      this.x = known.map((row) => this.time[row]);
    }
    return this.order;
  }
}

// The range of all values but the outliers, as emlab.monitors.robust_range has it.
function robustRange(values, limits) {
  const known = Float64Array.from(values.filter(Number.isFinite)).sort();
  if (!known.length) return [0, 1];
  const quantile = (share) => known[Math.round(share * (known.length - 1))];
  const [low, high] = [quantile(0.25), quantile(0.75)];
  const reach = known.length >= 20 ? 3 * (high - low) : Infinity;
  let first = known.find((value) => value >= low - reach);
  let last = known.findLast((value) => value <= high + reach);
  for (const { value } of limits) {
    // A limit far off is not worth squeezing the points for.
    if (value > last && value < last + 0.6 * (last - first)) last = value;
    if (value < first && value > first - 0.6 * (last - first)) first = value;
  }
  if (first === last) { const half = 0.1 * Math.abs(first) || 0.5; return [first - half, last + half]; }
  const margin = 0.06 * (last - first);
  return [first >= 0 ? Math.max(first - margin, 0) : first - margin, last + margin];
}

const median = (values) => {
  const known = Float64Array.from(values).sort();
  return known.length ? known[known.length >> 1] : NaN;
};

function written(value, digits) {
  return Number.isFinite(value)
    ? value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })
    : "–";
}

// Times come in the time zone of the session's machine, so they are written as UTC wherever the page is read.
const clock = (at) => new Date(at * 1e3).toISOString().slice(5, 19).replace("T", " ");

class Chart {
  constructor(panel, index) {
    this.panel = panel;
    this.index = index;
    this.facts = panel.model.get("charts")[index];
    this.element = document.createElement("div");
    this.element.className = "emlab-chart";
    this.element.innerHTML = "<div class=emlab-chart-head><h3></h3><span></span></div><div class=emlab-chart-plot></div>";
    [this.heading, this.plotted] = this.element.children;
    this.heading.firstChild.textContent = this.facts.title;
    this.note = this.heading.lastChild;
    this.plotted.setAttribute("role", "img");
    this.plotted.tabIndex = 0;
    this.plotted.chart = this;
    this.plotted.addEventListener("keydown", (event) => panel.key(event, this));
  }

  // Where the point of a row is, px from the plot's corner.
  place(row) {
    const { store } = this.panel;
    return [this.uplot.valToPos(store.time[row], "x"), this.uplot.valToPos(store.values[this.index][row], "y")];
  }

  limits() { return (this.panel.model.get("limits")[this.facts.name] ?? []).map((value) => ({ value })); }

  colour(name) { return getComputedStyle(this.element).getPropertyValue(`--emlab-${name}`).trim() || "#888"; }

  plot(width) {
    const axis = { stroke: () => this.colour("faint"), font: "11px system-ui, sans-serif",
      grid: { stroke: () => this.colour("line"), width: 1 }, ticks: { show: false } };
    return new uPlot({
      width, height: this.facts.height, legend: { show: false }, padding: [8, 14, 0, 0],
      tzDate: (at) => uPlot.tzDate(new Date(at * 1e3), "Etc/UTC"),
      cursor: { sync: { key: this.panel.name }, drag: { x: true, y: false, setScale: false }, points: { show: false },
        bind: { dblclick: () => () => { this.panel.show(0); return null; } } },
      scales: { x: { time: true, range: () => this.panel.range() }, y: { range: () => this.span() } },
      axes: [
        { ...axis, size: 34, space: 70, values: timeWords },
        { ...axis, size: 58, space: 34, label: this.facts.label, labelSize: 18, labelFont: "12px system-ui, sans-serif",
          values: (_, ticks) => ticks.map((tick) => tick.toLocaleString("en-US")) },
      ],
      series: [{}, { paths: () => null, points: { show: false } }],
      hooks: {
        draw: [() => this.draw()],
        setCursor: [() => this.hover()],
        setSelect: [(plot) => {
          if (plot.select.width < 4) return;
          const [from, to] = [plot.select.left, plot.select.left + plot.select.width].map((px) => plot.posToVal(px, "x"));
          plot.setSelect({ width: 0, height: 0 }, false);
          this.panel.show([from, to]);
        }],
        ready: [(plot) => {
          plot.over.addEventListener("click", (event) => this.click(event));
          plot.over.addEventListener("wheel", (event) => this.panel.wheel(event, plot), { passive: false });
        }],
      },
    }, this.data(), this.plotted);
  }

  data() {
    const { store } = this.panel, order = store.sorted();
    const column = store.values[this.index];
    return [store.x, order.map((row) => column[row])];
  }

  span() {
    const { store } = this.panel, [from, to] = this.panel.range();
    const column = store.values[this.index], inside = [];
    for (const row of store.sorted()) if (store.time[row] >= from && store.time[row] <= to) inside.push(column[row]);
    this.shown = inside.filter(Number.isFinite);
    return robustRange(this.shown, this.limits());
  }

  draw() {
    const { ctx, bbox } = this.uplot, { store } = this.panel, ratio = devicePixelRatio;
    const column = store.values[this.index], [from, to] = this.panel.range();
    const [low, high] = [this.uplot.scales.y.min, this.uplot.scales.y.max];
    const toX = (at) => this.uplot.valToPos(at, "x", true), toY = (value) => this.uplot.valToPos(value, "y", true);
    const x0 = toX(from), dx = (toX(to) - x0) / (to - from || 1), y0 = toY(low), dy = (toY(high) - y0) / (high - low);
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    const rejected = this.colour("rejected"), colour = this.facts.colour;
    // Bins of the running median: narrow where there are many points.
    const bins = new Map(), step = Math.max(10 * ratio, (bbox.width * 12) / (this.shown.length || 1));
    let beyond = 0, count = 0;
    const size = Math.round((this.shown.length > 5000 ? 2 : this.shown.length > 800 ? 3 : 4.5) * ratio);
    ctx.globalAlpha = this.shown.length > 5000 ? 0.5 : 0.75;
    for (const state of [0, REJECTED]) {
      ctx.fillStyle = state ? rejected : colour;
      for (const row of store.sorted()) {
        const at = store.time[row], value = column[row];
        if (at < from || at > to || !Number.isFinite(value) || (store.state[row] === REJECTED) !== (state === REJECTED)) continue;
        count++;
        const x = x0 + (at - from) * dx;
        if (value > high || value < low) {
          beyond++;
          const y = value > high ? bbox.top + 1 : bbox.top + bbox.height - 1, tip = (value > high ? 7 : -7) * ratio;
          ctx.beginPath(); ctx.moveTo(x, y); ctx.lineTo(x - 4 * ratio, y + tip); ctx.lineTo(x + 4 * ratio, y + tip); ctx.fill();
          continue;
        }
        ctx.fillRect(Math.round(x - size / 2), Math.round(y0 + (value - low) * dy - size / 2), size, size);
        const bin = Math.floor((x - bbox.left) / step);
        bins.has(bin) ? bins.get(bin).push(value) : bins.set(bin, [value]);
      }
    }
    ctx.globalAlpha = 1;
    // The running median shows a drift that the cloud of points hides.
    if (count > 200 && this.facts.trend) {
      ctx.beginPath();
      for (const bin of [...bins.keys()].sort((a, b) => a - b)) {
        if (bins.get(bin).length < 7) continue;
        ctx.lineTo(bbox.left + (bin + 0.5) * step, y0 + (median(bins.get(bin)) - low) * dy);
      }
      ctx.lineWidth = 4 * ratio; ctx.strokeStyle = this.colour("ground"); ctx.stroke();
      ctx.lineWidth = 1.75 * ratio; ctx.strokeStyle = this.colour("ink"); ctx.stroke();
    }
    ctx.setLineDash([5 * ratio, 4 * ratio]);
    ctx.lineWidth = 1.25 * ratio;
    ctx.strokeStyle = this.colour("bad");
    for (const { value } of this.limits()) {
      ctx.beginPath(); ctx.moveTo(bbox.left, toY(value)); ctx.lineTo(bbox.left + bbox.width, toY(value)); ctx.stroke();
    }
    ctx.setLineDash([]);
    const chosen = this.panel.model.get("chosen");
    if (chosen >= 0 && chosen < store.count && Number.isFinite(column[chosen])) {
      const y = toY(Math.min(Math.max(column[chosen], low), high));
      ctx.beginPath();
      ctx.arc(toX(store.time[chosen]), y, 6 * ratio, 0, 7);
      ctx.lineWidth = 4.5 * ratio; ctx.strokeStyle = this.colour("ground"); ctx.stroke();
      ctx.lineWidth = 2.25 * ratio; ctx.strokeStyle = this.colour("ink"); ctx.stroke();
    }
    ctx.restore();
    this.beyond = beyond;
    this.summarize();
  }

  summarize() {
    const { digits, unit, title } = this.facts;
    const limits = this.limits().map(({ value }) => `limit ${written(value, digits)}`);
    const off = this.beyond ? [`${this.beyond.toLocaleString("en-US")} off the scale (▲)`] : [];
    const parts = this.shown.length
      ? [`median ${written(median(this.shown), digits)} ${unit}`.trim(), ...limits, ...off]
      : [this.panel.store.values[this.index].some((v, row) => row < this.panel.store.count && Number.isFinite(v))
        ? "None in this span of time." : this.facts.empty];
    this.note.textContent = parts.join(" · ");
    const points = `${this.shown.length.toLocaleString("en-US")} points`;
    this.plotted.setAttribute("aria-label", `${title} over time: ${points}, ${parts.join(", ")}`);
    this.plotted.classList.toggle("emlab-none", !this.shown.length);
  }

  hover() {
    const place = this.uplot.cursor.idx;
    if (place == null || this.uplot.cursor.left < 0) { if (this.isHovered) this.summarize(); this.isHovered = false; return; }
    const { store } = this.panel, row = this.near(this.uplot.cursor.left) ?? store.sorted()[place];
    this.isHovered = true;
    const value = `${written(store.values[this.index][row], this.facts.digits)} ${this.facts.unit}`;
    this.note.textContent = `${value} · ${clock(store.time[row])}${store.state[row] === REJECTED ? " · rejected" : ""}`;
  }

  // The row whose point is nearest to a place, across first.
  near(left, top = null, reach = Infinity) {
    const { store } = this.panel, order = store.sorted(), column = store.values[this.index];
    const at = this.uplot.posToVal(left, "x");
    let start = store.x.findIndex((time) => time >= at);
    if (start < 0) start = order.length - 1;
    let best = null, nearest = reach;
    for (const step of [1, -1]) {
      for (let place = start + Math.min(step, 0); place >= 0 && place < order.length; place += step) {
        const row = order[place], across = Math.abs(this.uplot.valToPos(store.time[row], "x") - left);
        if (across > nearest) break;
        if (!Number.isFinite(column[row])) continue;
        const { min, max } = this.uplot.scales.y;
        const y = this.uplot.valToPos(Math.min(Math.max(column[row], min), max), "y");
        const distance = top === null ? across : Math.hypot(across, y - top);
        if (distance < nearest) { nearest = distance; best = row; }
      }
    }
    return best;
  }

  click(event) {
    const row = this.near(event.offsetX, event.offsetY, REACH);
    if (row !== null) this.panel.choose(row);
  }
}

// Hours and minutes; the date where it changes.
function timeWords(plot, ticks, _axis, _space, step) {
  let day = "";
  return ticks.map((at) => {
    const iso = new Date(at * 1e3).toISOString();
    const isNew = iso.slice(0, 10) !== day;
    day = iso.slice(0, 10);
    const date = new Date(at * 1e3).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
    const time = iso.slice(11, step < 60 ? 19 : 16);
    return step >= 86400 ? date : isNew ? `${time}\n${date}` : time;
  });
}

let panels = 0;

class Panel {
  constructor(model, store, element) {
    Object.assign(this, { model, store, element, window: 0, name: `emlab-${panels++}` });
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
    hint.textContent = "Drag to zoom, double click for all";
    this.spans.append(hint);
    const grid = document.createElement("div");
    grid.className = "emlab-charts";
    grid.append(...this.charts.map((chart) => chart.element));
    element.append(this.spans, grid);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(grid);
    this.themed = new MutationObserver(() => this.redraw());
    this.themed.observe(document.body, { attributes: true });
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.redraw = this.redraw.bind(this);
    this.refresh = this.refresh.bind(this);
    this.dark.addEventListener("change", this.redraw);
    store.listeners.add(this.refresh);
    model.on("change:chosen change:limits", this.redraw);
    this.mark();
  }

  remove() {
    this.observer.disconnect();
    this.themed.disconnect();
    this.dark.removeEventListener("change", this.redraw);
    this.store.listeners.delete(this.refresh);
    this.model.off("change:chosen change:limits", this.redraw);
    for (const { uplot } of this.charts) uplot?.destroy();
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

  refresh() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      for (const chart of this.charts) chart.uplot?.setData(chart.data());
    });
  }

  redraw() { for (const { uplot } of this.charts) uplot?.redraw(false, true); }

  range() {
    if (Array.isArray(this.window)) return this.window;
    const times = this.store.sorted().length ? this.store.x : [Date.now() / 1e3];
    const last = times.at(-1), first = this.window ? Math.max(last - this.window, times[0]) : times[0];
    const margin = Math.max(0.015 * (last - first), 10);
    return [first - margin, last + margin];
  }

  // A span of time: seconds up to the newest, 0 for all, or from when to when.
  show(span) {
    this.window = span;
    this.mark();
    for (const { uplot } of this.charts) uplot?.batch(() => { const [min, max] = this.range(); uplot.setScale("x", { min, max }); });
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
    if (event.ctrlKey) {
      const at = plot.posToVal(event.offsetX, "x"), factor = Math.exp(event.deltaY / 300);
      this.show([at - (at - from) * factor, at + (to - at) * factor]);
    } else {
      const step = (width * (event.deltaX || event.deltaY)) / plot.over.clientWidth;
      this.show([from + step, to + step]);
    }
  }

  key(event, chart) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const order = this.store.sorted(), column = this.store.values[chart.index];
    let place = order.indexOf(this.model.get("chosen"));
    do place += step; while (place >= 0 && place < order.length && !Number.isFinite(column[order[place]]));
    if (place >= 0 && place < order.length) this.choose(order[place]);
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
