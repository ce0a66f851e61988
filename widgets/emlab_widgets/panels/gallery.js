// A page of thumbnails. The kernel sends a picture once; what has been sent is kept here, by row.
export default () => {
  const pictures = new Map();
  return {
    initialize({ model }) {
      model.on("msg:custom", ({ rows }, buffers) => {
        rows.forEach((row, at) => pictures.set(row, URL.createObjectURL(new Blob([buffers[at]], { type: "image/jpeg" }))));
      });
      model.send({ fresh: true });
    },
    render({ model, el }) {
      el.innerHTML = `<div class="emlab-gallery"><div class=emlab-pager>
        <label>Show <select class=which><option value="">all</option><option>accepted</option><option>rejected</option></select></label>
        <label>by <select class=sort></select></label><span role=status></span>
        <button type=button class=before>‹ Previous</button><button type=button class=after>Next ›</button></div>
        <ul></ul></div>`;
      const at = (selector) => el.querySelector(selector);
      const ask = (change) => { model.set("asked", { ...model.get("asked"), ...change }); model.save_changes(); };
      at(".sort").append(...model.get("orders").map(([name, title]) => new Option(title, name)));
      at(".which").value = model.get("asked").which;
      at(".sort").value = model.get("asked").sort;
      at(".which").onchange = (event) => ask({ which: event.target.value, page: 0 });
      at(".sort").onchange = (event) => ask({ sort: event.target.value, page: 0 });
      at(".before").onclick = () => ask({ page: model.get("asked").page - 1 });
      at(".after").onclick = () => ask({ page: model.get("asked").page + 1 });
      const draw = () => {
        const { cells, first, total, chosen } = model.get("shown");
        if (!cells) return;
        at("ul").replaceChildren(...cells.map(({ row, name, note, decision }) => {
          const item = document.createElement("li"), button = document.createElement("button");
          button.type = "button";
          button.className = decision;
          button.title = `${name}, ${decision || "not judged yet"}`;
          if (row === chosen) button.setAttribute("aria-current", "true");
          button.onclick = () => model.send({ chosen: row });
          const picture = document.createElement("img");
          picture.alt = name;
          if (pictures.has(row)) picture.src = pictures.get(row);
          const caption = document.createElement("span");
          caption.textContent = note;
          button.append(picture, caption);
          item.append(button);
          return item;
        }));
        const last = first + cells.length;
        at("[role=status]").textContent = cells.length
          ? `${(first + 1).toLocaleString("en-US")}–${last.toLocaleString("en-US")} of ${total.toLocaleString("en-US")}`
          : "None yet: each micrograph appears here when it has been aligned.";
        at(".before").disabled = first === 0;
        at(".after").disabled = last >= total;
      };
      const arrived = () => requestAnimationFrame(draw);
      model.on("change:shown", draw);
      model.on("msg:custom", arrived);
      draw();
      return () => { model.off("change:shown", draw); model.off("msg:custom", arrived); };
    },
  };
};
