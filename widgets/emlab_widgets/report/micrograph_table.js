(() => {
  const ROWS = 50;
  const root = document.querySelector(".emlab-micrographs");
  const data = JSON.parse(document.querySelector(".emlab-micrographs-data").textContent);
  const order = data.keys.map((_, row) => row);
  const state = { column: null, descending: false, words: "", only: "", page: 0 };
  const note = (row) => data.notes[row] ?? "";

  const element = (name, properties, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };
  const button = (properties, action, ...children) => {
    const made = element("button", { type: "button", ...properties }, ...children);
    made.addEventListener("click", action);
    return made;
  };
  const count = (value) => value.toLocaleString("en");
  const time = (value) => new Date(value * 1000).toLocaleString("sv");
  const shown = ({ digits }, value) => {
    if (value === null) return "–";
    if (digits === null) return time(value);
    return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  };
  const titled = ({ title, unit }) => (unit ? `${title} (${unit})` : title);

  // -1 is the name, the last column the decision; those in between are numbers, which go last where they are missing.
  const compare = (a, b) => {
    const { column } = state;
    if (column === -1) return data.keys[a].localeCompare(data.keys[b], "en", { numeric: true });
    if (column === data.columns.length) return data.decisions[a].localeCompare(data.decisions[b]);
    const [x, y] = [data.values[column][a], data.values[column][b]];
    if (x === null || y === null) return ((x === null) - (y === null)) * (state.descending ? -1 : 1);
    return x - y;
  };
  const kinds = {
    "": ["All", () => true],
    accepted: ["Accepted", (row) => data.decisions[row] === "accepted"],
    rejected: ["Rejected", (row) => data.decisions[row] === "rejected"],
    failed: ["Failed", (row) => data.decisions[row] === "failed"],
    noted: ["With a remark", (row) => note(row) !== ""],
    pictured: ["With pictures", (row) => row in data.pictures],
  };
  const texts = data.keys.map((key, row) => `${key} ${data.decisions[row]} ${note(row)}`.toLowerCase());
  const found = () => {
    const words = state.words.toLowerCase().split(/\s+/);
    const isKind = kinds[state.only][1];
    return order.filter((row) => isKind(row) && words.every((word) => texts[row].includes(word)));
  };

  const enlarge = (row) => {
    const [thumbnail, spectrum, path] = data.pictures[row];
    const picture = (source, caption) =>
      element("figure", {}, element("img", { src: source, alt: caption }), element("figcaption", { textContent: caption }));
    const figures = element("div", { className: "emlab-pictures" });
    if (thumbnail) figures.append(picture(thumbnail, "Micrograph, reduced"));
    if (spectrum) figures.append(picture(spectrum, "Spectrum on the left, fit on the right"));
    if (path) figures.append(element("figure", { innerHTML: `${path}<figcaption>Path of the specimen</figcaption>` }));
    const values = data.columns.map((column, index) => element("div", {},
      element("dt", { textContent: titled(column) }), element("dd", { textContent: shown(column, data.values[index][row]) })));
    const dialog = element("dialog", { className: "emlab emlab-large", ariaLabel: data.keys[row] },
      button({ className: "emlab-close", textContent: "Close" }, () => dialog.close()),
      element("h3", { textContent: data.keys[row] }),
      element("p", { textContent: [data.decisions[row], note(row)].filter(Boolean).join(": ") }),
      figures, element("dl", { className: "emlab-facts" }, ...values));
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  };

  const pictures = (row) => {
    const [thumbnail, spectrum, path] = data.pictures[row] ?? [];
    const image = (source, what) => button({ title: `${what} of ${data.keys[row]}` }, () => enlarge(row),
      element("img", { src: source, alt: what, decoding: "async" }));
    const cells = [thumbnail && image(thumbnail, "Micrograph"), spectrum && image(spectrum, "Spectrum and fit")];
    if (path) cells.push(button({ title: `Path of ${data.keys[row]}`, innerHTML: path }, () => enlarge(row)));
    return element("td", { className: "pictures" }, ...cells.filter(Boolean));
  };
  const line = (row) => element("tr", { className: data.decisions[row] },
    pictures(row),
    element("td", { className: "name", textContent: data.keys[row] }, element("small", { textContent: note(row) })),
    ...data.columns.map((column, index) =>
      element("td", { className: column.digits === null ? "number time" : "number", textContent: shown(column, data.values[index][row]) })),
    element("td", { className: "decision", textContent: data.decisions[row] }));

  const heading = (title, column, className) => {
    const sorted = state.column === column;
    const cell = element("th", { scope: "col", className }, button({ textContent: title }, () => {
      state.descending = sorted && !state.descending;
      state.column = column;
      state.page = 0;
      order.sort((a, b) => compare(a, b) * (state.descending ? -1 : 1));
      draw();
    }));
    if (sorted) cell.ariaSort = state.descending ? "descending" : "ascending";
    return cell;
  };

  // A cell that begins like a formula would be one in a spreadsheet.
  const quoted = (text) => `"${text.replace(/^[=+\-@]/, "'$&").replaceAll('"', '""')}"`;
  const save = () => {
    const head = ["micrograph", ...data.columns.map(titled), "selection", "remark"].map(quoted);
    const lines = found().map((row) => [
      quoted(data.keys[row]),
      ...data.columns.map(({ digits }, index) => {
        const value = data.values[index][row];
        return value === null ? "" : digits === null ? time(value) : value;
      }),
      data.decisions[row], quoted(note(row)),
    ].join(","));
    const file = new Blob([`\ufeff${[head.join(","), ...lines].join("\r\n")}\r\n`], { type: "text/csv" });
    const link = element("a", { href: URL.createObjectURL(file), download: `${data.name.replace(/[^\w.-]+/g, "_")}.csv` });
    link.click();
    URL.revokeObjectURL(link.href);
  };

  const search = element("input", { type: "search", placeholder: "Search names and remarks", ariaLabel: "Search micrographs" });
  search.addEventListener("input", () => { state.words = search.value; state.page = 0; draw(); });
  const only = element("select", { ariaLabel: "Which micrographs" }, ...Object.entries(kinds)
    .map(([kind, [title, isKind]]) => [kind, title, order.filter(isKind).length])
    .filter(([kind, , number]) => kind === "" || (number && number < order.length))
    .map(([kind, title, number]) => element("option", { value: kind, textContent: `${title} (${count(number)})` })));
  only.addEventListener("change", () => { state.only = only.value; state.page = 0; draw(); });
  const status = element("span", { role: "status" });
  const previous = button({ textContent: "‹ Previous" }, () => { state.page -= 1; draw(); });
  const next = button({ textContent: "Next ›" }, () => { state.page += 1; draw(); });
  const download = button({ textContent: "Save as CSV" }, save);
  const head = element("thead", {});
  const body = element("tbody", {});
  root.append(
    element("div", { className: "emlab-pager" }, search, only, download, status, previous, next),
    element("div", { className: "emlab-scroll", tabIndex: 0, role: "region", ariaLabel: "Table of micrographs" },
      element("table", {}, head, body)));

  const draw = () => {
    const rows = found();
    const first = state.page * ROWS;
    const last = Math.min(first + ROWS, rows.length);
    head.replaceChildren(element("tr", {},
      element("th", { scope: "col", textContent: "Pictures" }),
      heading("Micrograph", -1, ""),
      ...data.columns.map((column, index) => heading(titled(column), index, "number")),
      heading("Selection", data.columns.length, "")));
    body.replaceChildren(...rows.slice(first, last).map(line));
    status.textContent = rows.length ? `${count(first + 1)}–${count(last)} of ${count(rows.length)}` : "nothing found";
    previous.disabled = first === 0;
    next.disabled = last >= rows.length;
  };
  draw();
})();
