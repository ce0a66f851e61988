// One page of a table; sorting, searching and paging happen in the kernel.
export default {
  render({ model, el }) {
    el.classList.add("emlab-table");
    el.innerHTML = `<div class="emlab emlab-micrographs">
      <div class=emlab-pager><input type=search aria-label="Search micrographs"><span role=status></span>
      <button type=button class=before>‹ Previous</button><button type=button class=after>Next ›</button>
      <button type=button class=export>Save as CSV</button></div><p class="emlab-warning" hidden></p>
      <div class=emlab-scroll><table><thead><tr></tr></thead><tbody></tbody></table></div></div>`;
    const at = (selector) => el.querySelector(selector);
    const [search, status, before, after] = ["input", "[role=status]", ".before", ".after"].map(at);
    search.placeholder = model.get("hint");
    search.value = model.get("asked").query ?? "";
    const ask = (change) => {
      model.set("asked", { ...model.get("asked"), ...change });
      model.save_changes();
    };
    let typing;
    search.oninput = () => { clearTimeout(typing); typing = setTimeout(() => ask({ query: search.value, page: 0 }), 250); };
    before.onclick = () => ask({ page: model.get("asked").page - 1 });
    after.onclick = () => ask({ page: model.get("asked").page + 1 });
    at(".export").onclick = () => model.send({ save: true });
    const draw = () => {
      const { columns, rows, first, total, problem, chosen } = model.get("shown");
      if (!columns) return;
      const { sort, descending, page } = model.get("asked");
      at("thead tr").replaceChildren(...columns.map(({ name, title, number }) => {
        const head = document.createElement("th"), button = document.createElement("button");
        head.scope = "col";
        head.className = number ? "number" : "";
        button.type = "button";
        button.textContent = title;
        if (name === sort) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
        button.onclick = () => ask({ sort: name, descending: name === sort && !descending, page: 0 });
        head.append(button);
        return head;
      }));
      at("tbody").replaceChildren(...rows.map(({ row, cells, decision }) => {
        const line = document.createElement("tr");
        line.className = decision;
        if (row === chosen) line.setAttribute("aria-current", "true");
        cells.forEach((text, place) => {
          const cell = document.createElement("td");
          cell.className = columns[place].number ? "number" : "name";
          if (place) cell.textContent = text;
          else {
            const button = document.createElement("button");
            button.type = "button";
            button.textContent = text;
            button.onclick = () => model.send({ chosen: row });
            cell.append(button);
          }
          line.append(cell);
        });
        return line;
      }));
      const last = first + rows.length;
      status.textContent = rows.length
        ? `${(first + 1).toLocaleString("en-US")}–${last.toLocaleString("en-US")} of ${total.toLocaleString("en-US")}`
        : search.value ? "None found" : "None yet: a row appears with each movie that arrives";
      before.disabled = page === 0;
      after.disabled = last >= total;
      at(".emlab-warning").textContent = problem;
      at(".emlab-warning").hidden = !problem;
    };
    const save = ({ name }, [bytes]) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([bytes], { type: "text/csv" }));
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    };
    model.on("change:shown", draw);
    model.on("msg:custom", save);
    draw();
    return () => { model.off("change:shown", draw); model.off("msg:custom", save); };
  },
};
