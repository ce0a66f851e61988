// Points over time, several measures one above the other with one time axis. uPlot does axes, cursor and zoom; the
// points are drawn here, since 100,000 of them have to follow the mouse. `uPlot` is defined by what stands before.

// Making one of these takes longer than drawing a thousand points.
const formats = new Map();
function format(digits) {
  if (!formats.has(digits)) {
    const decimals = digits === null ? {} : { minimumFractionDigits: digits, maximumFractionDigits: digits };
    formats.set(digits, new Intl.NumberFormat("en-US", decimals));
  }
  return formats.get(digits);
}

const written = (value, digits = null) => (Number.isFinite(value) ? format(digits).format(value) : "–");

// A colour, #rrggbb, part of the way to white.
const lifted = (colour, share) =>
  `#${[1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16))
    .map((part) => Math.round(part + share * (255 - part)).toString(16).padStart(2, "0")).join("")}`;

// Times come in the time zone of the session's machine, so they are written as UTC wherever the page is read.
const clock = (at) => new Date(at * 1e3).toISOString().slice(5, 19).replace("T", " ");
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

// Hours and minutes; the date where it changes.
function timeWords(_plot, ticks, _axis, _space, step) {
  let last = "";
  return ticks.map((at) => {
    const iso = new Date(at * 1e3).toISOString();
    const isNew = iso.slice(0, 10) !== last;
    last = iso.slice(0, 10);
    const time = iso.slice(11, step < 60 ? 19 : 16);
    return step >= 86400 ? day.format(at * 1e3) : isNew ? `${time}\n${day.format(at * 1e3)}` : time;
  });
}

// How many of ascending values are less than one.
function before(values, value) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    values[middle] < value ? (low = middle + 1) : (high = middle);
  }
  return low;
}

// The finite ones of some values, ascending.
function ascending(values) {
  const known = new Float64Array(values.length);
  let count = 0;
  for (let at = 0; at < values.length; at++) if (Number.isFinite(values[at])) known[count++] = values[at];
  return known.subarray(0, count).sort();
}

const middle = (known) => (known.length ? known[known.length >> 1] : NaN);

// The range of values without the outliers, as emlab.monitors.robust_range has it; quartiles come from some of many.
function robustRange(values, limits) {
  const step = Math.ceil(values.length / 2000) || 1;
  const some = ascending(Float64Array.from({ length: Math.ceil(values.length / step) }, (_, at) => values[at * step]));
  if (!some.length) return [0, 1];
  const quantile = (share) => some[Math.round(share * (some.length - 1))];
  const [low, high] = [quantile(0.25), quantile(0.75)];
  const reach = some.length >= 20 ? 3 * (high - low) : Infinity;
  const least = low - reach, most = high + reach;
  let first = Infinity, last = -Infinity;
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    if (value < first && value >= least) first = value;
    if (value > last && value <= most) last = value;
  }
  for (const limit of limits) {
    // A limit far off is not worth squeezing the points for.
    if (limit > last && limit < last + 0.6 * (last - first)) last = limit;
    if (limit < first && limit > first - 0.6 * (last - first)) first = limit;
  }
  if (first === last) { const half = 0.1 * Math.abs(first) || 0.5; return [first - half, last + half]; }
  const margin = 0.06 * (last - first);
  return [first >= 0 ? Math.max(first - margin, 0) : first - margin, last + margin];
}
