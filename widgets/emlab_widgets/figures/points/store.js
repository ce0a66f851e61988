// Every micrograph's values, by row and in the order of their times.

const FIELDS = 3; // row, time and decision, before the measures
const REJECTED = 2;

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
    for (const column of [this.time, ...this.values]) column.fill(NaN, this.count, Math.max(count, this.count));
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
    this.known = null;
    for (const listener of this.listeners) listener();
  }

  // Rows in the order of their times, which uPlot wants; and in the same order times, states and values.
  get sorted() {
    if (!this.known) {
      let rows = new Uint32Array(this.count), count = 0, isSorted = true;
      for (let row = 0; row < this.count; row++) {
        if (!Number.isFinite(this.time[row])) continue;
        isSorted &&= !count || this.time[row] >= this.time[rows[count - 1]];
        rows[count++] = row;
      }
      rows = rows.subarray(0, count);
      if (!isSorted) rows.sort((a, b) => this.time[a] - this.time[b]);
      const taken = (column) => { const made = new column.constructor(count); rows.forEach((row, at) => (made[at] = column[row])); return made; };
      this.known = { rows, time: taken(this.time), state: taken(this.state), values: this.values.map(taken) };
    }
    return this.known;
  }
}
