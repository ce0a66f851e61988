(() => {
  const ROWS = 50;
  const root = document.querySelector(".emlab-micrographs");
  const data = JSON.parse(document.querySelector(".emlab-micrographs-data").textContent);
  const order = data.keys.map((_, row) => row);
  const state = { column: null, descending: false, words: "", page: 0 };

  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const number = (value, digits) =>
    value === null ? "–" : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const shown = (column, value) => {
    if (column.digits !== null) return number(value, column.digits);
    return value === null ? "–" : new Date(value * 1000).toLocaleString("sv");
  };

  // -1 is the name, the last column the decision; those in between are numbers, which go last where they are missing.
  const compare = (a, b) => {
    const { column } = state;
    if (column === -1) return data.keys[a].localeCompare(data.keys[b], "en", { numeric: true });
    if (column === data.columns.length) return data.decisions[a].localeCompare(data.decisions[b]);
    const [x, y] = [data.values[column][a], data.values[column][b]];
    if (x === null || y === null) return ((x === null) - (y === null)) * (state.descending ? -1 : 1);
    return x - y;
  };

  const found = () => {
    const words = state.words.toLowerCase().split(/\s+/);
    return order.filter((row) => {
      const text = `${data.keys[row]} ${data.decisions[row]}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
  };

  const enlarge = (row, source) => {
    const dialog = element("dialog", { className: "emlab emlab-large", ariaLabel: data.keys[row] });
    const picture = typeof source === "string" ? element("img", { src: source, alt: "" }) : source.cloneNode(true);
    dialog.append(element("p", { textContent: data.keys[row] }), picture);
    dialog.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  };

  const pictures = (row) => {
    const [thumbnail, spectrum, path] = data.pictures[row] ?? [];
    const image = (source, what) => {
      const button = element("button", { type: "button", title: `${what} of ${data.keys[row]}` });
      button.append(element("img", { src: source, alt: what, decoding: "async" }));
      button.addEventListener("click", () => enlarge(row, source));
      return button;
    };
    const cells = [thumbnail && image(thumbnail, "Micrograph"), spectrum && image(spectrum, "Spectrum and fit")];
    if (path) {
      const button = element("button", { type: "button", title: `Path of ${data.keys[row]}`, innerHTML: path });
      button.addEventListener("click", () => enlarge(row, button.firstChild));
      cells.push(button);
    }
    return element("td", { className: "pictures" }, ...cells.filter(Boolean));
  };

  const line = (row) =>
    element(
      "tr",
      { className: data.decisions[row] },
      pictures(row),
      element("td", { className: "name", textContent: data.keys[row] }),
      ...data.columns.map((column, index) =>
        element("td", { className: "number", textContent: shown(column, data.values[index][row]) })),
      element("td", { textContent: data.decisions[row] }),
    );

  const heading = (title, column, className) => {
    const sorted = state.column === column;
    const button = element("button", { type: "button", textContent: title });
    button.addEventListener("click", () => {
      state.descending = sorted && !state.descending;
      state.column = column;
      state.page = 0;
      order.sort((a, b) => compare(a, b) * (state.descending ? -1 : 1));
      draw();
    });
    const cell = element("th", { scope: "col", className }, button);
    if (sorted) cell.ariaSort = state.descending ? "descending" : "ascending";
    return cell;
  };

  const search = element("input", { type: "search", placeholder: "Search names, accepted, rejected" });
  search.ariaLabel = "Search micrographs";
  search.addEventListener("input", () => {
    state.words = search.value;
    state.page = 0;
    draw();
  });
  const status = element("span", { role: "status" });
  const previous = element("button", { type: "button", textContent: "‹ Previous" });
  const next = element("button", { type: "button", textContent: "Next ›" });
  previous.addEventListener("click", () => { state.page -= 1; draw(); });
  next.addEventListener("click", () => { state.page += 1; draw(); });
  const head = element("thead", {});
  const body = element("tbody", {});
  root.append(
    element("div", { className: "emlab-pager" }, search, status, previous, next),
    element("div", { className: "emlab-scroll" }, element("table", {}, head, body)),
  );

  const draw = () => {
    const rows = found();
    const first = state.page * ROWS;
    const last = Math.min(first + ROWS, rows.length);
    head.replaceChildren(element(
      "tr",
      {},
      element("th", { scope: "col", textContent: "Pictures" }),
      heading("Micrograph", -1, ""),
      ...data.columns.map((column, index) =>
        heading(column.unit ? `${column.title} (${column.unit})` : column.title, index, "number")),
      heading("Selection", data.columns.length, ""),
    ));
    body.replaceChildren(...rows.slice(first, last).map(line));
    status.textContent = rows.length
      ? `${(first + 1).toLocaleString("en")}–${last.toLocaleString("en")} of ${rows.length.toLocaleString("en")}`
      : "nothing found";
    previous.disabled = first === 0;
    next.disabled = last >= rows.length;
  };
  draw();
})();
