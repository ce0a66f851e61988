// One measure over time.

const REACH = 14; // px from a point at which a click still means it
const DENSE = 5000, SPARSE = 800, FEW = 300; // points from which on they are small, below which large, and round

class Chart {
  constructor(panel, index) {
    this.panel = panel;
    this.index = index;
    this.facts = panel.model.get("charts")[index];
    this.cloud = new Cloud();
    this.shown = new Float64Array();
    this.element = document.createElement("div");
    this.element.className = "emlab-chart";
    this.element.innerHTML = "<div class=emlab-chart-head><h3></h3><span></span></div><div class=emlab-chart-plot></div>";
    [this.heading, this.plotted] = this.element.children;
    this.heading.firstChild.textContent = this.facts.title;
    this.note = this.heading.lastChild;
    this.plotted.setAttribute("role", "img");
    this.plotted.setAttribute("aria-label", `${this.facts.title} over time`);
    this.plotted.tabIndex = 0;
    this.plotted.chart = this;
    this.plotted.addEventListener("keydown", (event) => panel.key(event, this));
  }

  // Where the point of a row is, px from the plot's corner.
  place(row) {
    const { store } = this.panel;
    return [this.uplot.valToPos(store.time[row], "x"), this.uplot.valToPos(store.values[this.index][row], "y")];
  }

  get limits() { return this.panel.model.get("limits")[this.facts.name] ?? []; }

  plot(width) {
    const colour = (name) => () => this.panel.colour(name);
    const axis = { stroke: colour("faint"), font: "11px system-ui, sans-serif",
      grid: { stroke: colour("line"), width: 1 }, ticks: { show: false } };
    return new uPlot({
      width, height: this.facts.height, legend: { show: false }, padding: [8, 14, 0, 0],
      tzDate: (at) => uPlot.tzDate(new Date(at * 1e3), "Etc/UTC"),
      cursor: { sync: { key: this.panel.name }, drag: { x: true, y: false, setScale: false }, points: { show: false },
        bind: { dblclick: () => () => { this.panel.show(0); return null; } } },
      scales: { x: { time: true, range: () => this.panel.range() }, y: { range: () => this.span() } },
      axes: [
        { ...axis, size: 34, space: 70, values: timeWords },
        { ...axis, size: 58, space: 34, label: this.facts.unit || this.facts.title, labelSize: 18, labelFont: "12px system-ui, sans-serif",
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
    const { time, values } = this.panel.store.sorted;
    return [time, values[this.index]];
  }

  // The range of the values in sight.
  span() {
    const [first, last] = this.panel.sight();
    this.shown = this.panel.store.sorted.values[this.index].subarray(first, last);
    return robustRange(this.shown, this.limits);
  }

  draw() {
    const { ctx, bbox } = this.uplot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    this.drawPoints(ctx, bbox);
    this.drawLimits(ctx, bbox);
    this.drawChosen(ctx);
    ctx.restore();
    if (!this.panel.isMoving) this.summarize();
  }

  drawPoints(ctx, bbox) {
    const { time, state } = this.panel.store.sorted, { shown } = this, ratio = devicePixelRatio;
    const [first] = this.panel.sight(), [from, to] = this.panel.range(), { min: low, max: high } = this.uplot.scales.y;
    const dx = bbox.width / (to - from || 1), dy = bbox.height / (high - low), count = shown.length;
    const size = Math.round((count > DENSE ? 2 : count > SPARSE ? 3 : 4.5) * ratio);
    const corners = [false, true].map(() => ({ places: new Int32Array(2 * count), count: 0 })), beyond = [];
    for (let at = 0; at < count; at++) {
      const value = shown[at], isRejected = state[first + at] === REJECTED, x = (time[first + at] - from) * dx;
      if (value >= low && value <= high) {
        const those = corners[+isRejected];
        those.places[2 * those.count] = Math.round(x - size / 2);
        those.places[2 * those.count++ + 1] = Math.round((high - value) * dy - size / 2);
      } else if (value === value) beyond.push([x, value > high, isRejected]);
    }
    this.cloud.clear(Math.ceil(bbox.width), Math.ceil(bbox.height));
    for (const [name, those] of [[this.facts.colour, corners[0]], ["rejected", corners[1]]]) {
      const colour = this.panel.colour(name);
      if (count <= FEW) this.drawDots(ctx, bbox, colour, those, size / 2);
      else {
        this.cloud.colour(colour, count > DENSE ? 0.5 : 0.75);
        this.cloud.put(those.places, those.count, size);
      }
    }
    if (count > FEW) this.cloud.draw(ctx, Math.round(bbox.left), Math.round(bbox.top));
    this.drawBeyond(ctx, bbox, beyond);
    if (count > 200 && this.facts.trend) this.drawTrend(ctx, bbox, first, from, dx, dy);
  }

  drawDots(ctx, bbox, colour, { places, count }, half) {
    ctx.fillStyle = colour;
    for (let at = 0; at < 2 * count; at += 2) {
      ctx.beginPath();
      ctx.arc(bbox.left + places[at] + half, bbox.top + places[at + 1] + half, 3.25 * devicePixelRatio, 0, 7);
      ctx.fill();
    }
  }

  // The running median shows a drift that the cloud of points hides. It is as exact as the pixels are.
  drawTrend(ctx, bbox, first, from, dx, dy) {
    const { time } = this.panel.store.sorted, { shown } = this, { max: high } = this.uplot.scales.y, ratio = devicePixelRatio;
    // Bins are narrow where there are many points, and at places in time, so that the curve moves with them.
    const width = Math.max(10 * ratio, (bbox.width * 12) / shown.length) / dx;
    const heights = new Uint32Array(Math.ceil(bbox.height) + 1);
    let bin = NaN, count = 0;
    const end = () => {
      if (count >= 7) {
        let y = 0;
        for (let below = heights[0]; 2 * below < count; below += heights[++y]);
        ctx.lineTo(bbox.left + ((bin + 0.5) * width - from) * dx, bbox.top + y);
      }
      heights.fill(0);
      count = 0;
    };
    ctx.beginPath();
    for (let at = 0; at < shown.length; at++) {
      const y = Math.round((high - shown[at]) * dy), next = Math.floor(time[first + at] / width);
      if (!(y >= 0 && y < heights.length)) continue;
      if (next !== bin) { end(); bin = next; }
      heights[y]++;
      count++;
    }
    end();
    ctx.lineWidth = 4 * ratio; ctx.strokeStyle = this.panel.colour("ground"); ctx.stroke();
    ctx.lineWidth = 1.75 * ratio; ctx.strokeStyle = this.panel.colour("ink"); ctx.stroke();
  }

  // A triangle at the edge for each outlier; one for all that are in the same place.
  drawBeyond(ctx, bbox, beyond) {
    const ratio = devicePixelRatio, drawn = new Set();
    ctx.globalAlpha = 0.75;
    for (const [x, isAbove, isRejected] of beyond) {
      const place = `${Math.round(x / (2 * ratio))} ${isAbove} ${isRejected}`;
      if (drawn.has(place)) continue;
      drawn.add(place);
      const y = isAbove ? bbox.top + 1 : bbox.top + bbox.height - 1, tip = (isAbove ? 7 : -7) * ratio, left = bbox.left + x;
      ctx.fillStyle = this.panel.colour(isRejected ? "rejected" : this.facts.colour);
      ctx.beginPath(); ctx.moveTo(left, y); ctx.lineTo(left - 4 * ratio, y + tip); ctx.lineTo(left + 4 * ratio, y + tip); ctx.fill();
    }
    ctx.globalAlpha = 1;
    this.beyond = beyond.length;
  }

  drawLimits(ctx, bbox) {
    const ratio = devicePixelRatio;
    ctx.setLineDash([5 * ratio, 4 * ratio]);
    ctx.lineWidth = 1.25 * ratio;
    ctx.strokeStyle = this.panel.colour("bad");
    for (const limit of this.limits) {
      const y = this.uplot.valToPos(limit, "y", true);
      ctx.beginPath(); ctx.moveTo(bbox.left, y); ctx.lineTo(bbox.left + bbox.width, y); ctx.stroke();
    }
    ctx.setLineDash([]);
  }

  drawChosen(ctx) {
    const { store, model } = this.panel, chosen = model.get("chosen"), value = store.values[this.index][chosen];
    if (!Number.isFinite(value)) return;
    const ratio = devicePixelRatio, { min, max } = this.uplot.scales.y;
    const y = this.uplot.valToPos(Math.min(Math.max(value, min), max), "y", true);
    ctx.beginPath();
    ctx.arc(this.uplot.valToPos(store.time[chosen], "x", true), y, 6 * ratio, 0, 7);
    ctx.lineWidth = 4.5 * ratio; ctx.strokeStyle = this.panel.colour("ground"); ctx.stroke();
    ctx.lineWidth = 2.25 * ratio; ctx.strokeStyle = this.panel.colour("ink"); ctx.stroke();
  }

  summarize() {
    const { digits, unit, title } = this.facts, known = ascending(this.shown), { values, count } = this.panel.store;
    const limits = this.limits.map((limit) => `limit ${written(limit, digits)}`);
    const off = this.beyond ? [`${written(this.beyond)} off the scale (▲)`] : [];
    const parts = known.length
      ? [`median ${written(middle(known), digits)} ${unit}`.trim(), ...limits, ...off]
      : [values[this.index].subarray(0, count).some(Number.isFinite) ? "None in this span of time." : this.facts.empty];
    this.note.textContent = known.length ? parts.join(" · ") : "";
    const points = `${written(known.length)} points`;
    this.plotted.setAttribute("aria-label", `${title} over time: ${points}, ${parts.join(", ")}`);
    // Axes without a point would tell of a span that is none.
    this.plotted.classList.toggle("emlab-none", !known.length);
    this.plotted.dataset.empty = known.length ? "" : parts[0];
  }

  hover() {
    const place = this.uplot.cursor.idx;
    if (place == null || this.uplot.cursor.left < 0) { if (this.isHovered) this.summarize(); this.isHovered = false; return; }
    const { store } = this.panel, row = this.near(this.uplot.cursor.left) ?? store.sorted.rows[place];
    this.isHovered = true;
    const value = `${written(store.values[this.index][row], this.facts.digits)} ${this.facts.unit}`;
    this.note.textContent = `${value} · ${clock(store.time[row])}${store.state[row] === REJECTED ? " · rejected" : ""}`;
  }

  // The row whose point is nearest to a place, across first.
  near(left, top = null, reach = Infinity) {
    const { rows, time, values } = this.panel.store.sorted, column = values[this.index];
    const start = Math.min(before(time, this.uplot.posToVal(left, "x")), rows.length - 1);
    const { min, max } = this.uplot.scales.y;
    let best = null, nearest = reach;
    for (const step of [1, -1]) {
      for (let at = start + Math.min(step, 0); at >= 0 && at < rows.length; at += step) {
        const across = Math.abs(this.uplot.valToPos(time[at], "x") - left);
        if (across > nearest) break;
        if (!Number.isFinite(column[at])) continue;
        const y = this.uplot.valToPos(Math.min(Math.max(column[at], min), max), "y");
        const distance = top === null ? across : Math.hypot(across, y - top);
        if (distance < nearest) { nearest = distance; best = rows[at]; }
      }
    }
    return best;
  }

  click(event) {
    const row = this.near(event.offsetX, event.offsetY, REACH);
    if (row !== null) this.panel.choose(row);
  }
}
