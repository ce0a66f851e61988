// A micrograph to be moved and magnified. What is there is drawn at once; the kernel then sends the part in sight.
export default {
  render({ model, el }) {
    el.innerHTML = `<div class="emlab-magnifier"><div class=emlab-pager>
      <label>Low-pass filter <select class=low><option value=0>none</option><option>5</option><option>10</option>
      <option>20</option><option>40</option></select> Å</label>
      <label>Contrast <input class=contrast type=range min=0.5 max=3 step=0.05 value=1></label>
      <button type=button class=out aria-label="Smaller">−</button><button type=button class=in aria-label="Larger">+</button>
      <button type=button class=whole>Whole</button>
      <label class=picks hidden><input type=checkbox checked> <span></span></label><span class=where></span></div>
      <div class=emlab-canvas><canvas tabindex=0 role=img aria-label=Micrograph></canvas><p hidden></p></div></div>`;
    const at = (selector) => el.querySelector(selector);
    const canvas = at("canvas"), context = canvas.getContext("2d"), note = at(".emlab-canvas p");
    let facts = {}, places = [], base = null, detail = null, view = null, waiting = null, asked = 0;

    const fit = () => Math.min(canvas.clientWidth / facts.width, canvas.clientHeight / facts.height);
    const whole = () => { view = { x: facts.width / 2, y: facts.height / 2, zoom: fit() }; change(); };
    const region = () => {
      const [w, h] = [canvas.clientWidth / view.zoom / 2, canvas.clientHeight / view.zoom / 2];
      return [view.x - w, view.y - h, view.x + w, view.y + h];
    };
    const draw = () => {
      const ratio = devicePixelRatio, [w, h] = [canvas.clientWidth, canvas.clientHeight];
      if (canvas.width !== w * ratio || canvas.height !== h * ratio) [canvas.width, canvas.height] = [w * ratio, h * ratio];
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, w, h);
      if (!view || !facts.width) return;
      const place = (x, y) => [(x - view.x) * view.zoom + w / 2, (y - view.y) * view.zoom + h / 2];
      context.filter = `contrast(${at(".contrast").value})`;
      context.imageSmoothingEnabled = view.zoom < 4;
      for (const shown of [base, detail]) {
        if (!shown) continue;
        const [left, top] = place(shown.region[0], shown.region[1]), [right, bottom] = place(shown.region[2], shown.region[3]);
        context.drawImage(shown.bitmap, left, top, right - left, bottom - top);
      }
      context.filter = "none";
      if (at(".picks input").checked) circles(place, w, h);
      bar(w, h);
    };
    // Twice, so that they show on black and on white.
    const circles = (place, w, h) => {
      const radius = Math.max((facts.diameter / 2) * view.zoom, 2);
      context.beginPath();
      for (let i = 0; i < places.length; i += 2) {
        // A pixel's centre is at a whole number, and its left edge half a pixel before that.
        const [x, y] = place(places[i] + 0.5, places[i + 1] + 0.5);
        if (x < -radius || y < -radius || x > w + radius || y > h + radius) continue;
        context.moveTo(x + radius, y);
        context.arc(x, y, radius, 0, 2 * Math.PI);
      }
      for (const [width, colour] of [[3.5, "#0008"], [1.5, "#56d6a0"]]) {
        context.lineWidth = width;
        context.strokeStyle = colour;
        context.stroke();
      }
    };
    // A bar of 1, 2 or 5 times a power of ten that is about a fifth of the width.
    const bar = (w, h) => {
      const across = (0.22 * w * facts.pixel_size) / view.zoom;
      const power = 10 ** Math.floor(Math.log10(across)), length = [5, 2, 1].find((step) => step * power <= across) * power;
      const px = (length / facts.pixel_size) * view.zoom, text = length >= 10 ? `${(length / 10).toLocaleString("en-US")} nm` : `${length} Å`;
      context.font = "600 13px system-ui, sans-serif";
      context.fillStyle = "#000a";
      context.fillRect(10, h - 40, Math.max(px, context.measureText(text).width) + 20, 31);
      context.fillStyle = "#fff";
      context.fillRect(20, h - 17, px, 3);
      context.fillText(text, 20, h - 23);
    };
    const change = () => {
      draw();
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        const low = Number(at(".low").value);
        // The thumbnail shows all that a small canvas can, unless it is to be filtered.
        if (!facts.has_image || (!low && view.zoom * devicePixelRatio <= facts.base_scale)) { detail = low ? detail : null; draw(); return; }
        model.send({ ask: ++asked, region: region(), width: Math.round(canvas.clientWidth * devicePixelRatio), low_pass: low });
      }, 120);
    };
    const zoom = (factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) => {
      const next = Math.min(Math.max(view.zoom * factor, fit() / 2), 16);
      const [dx, dy] = [x - canvas.clientWidth / 2, y - canvas.clientHeight / 2];
      view = { x: view.x + dx / view.zoom - dx / next, y: view.y + dy / view.zoom - dy / next, zoom: next };
      change();
    };
    const heard = async (message, [bytes, packed]) => {
      if (message.answer !== undefined && message.answer !== asked) return;
      const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
      if (message.base) {
        facts = model.get("facts");
        places = new Float32Array(packed.buffer.slice(packed.byteOffset, packed.byteOffset + packed.byteLength));
        at(".picks").hidden = !facts.count;
        at(".picks span").textContent = `Particles (${facts.count.toLocaleString("en-US")})`;
        [base, detail] = [{ bitmap, region: [0, 0, facts.width, facts.height] }, null];
        facts.base_scale = bitmap.width / facts.width;
        canvas.setAttribute("aria-label", `Micrograph ${facts.key}`);
        note.textContent = facts.note;
        note.hidden = !facts.note;
        const isSame = view && facts.width === view.width && facts.height === view.height;
        if (!isSame) whole();
        Object.assign(view, { width: facts.width, height: facts.height });
        change();
      } else {
        detail = { bitmap, region: message.region };
        draw();
      }
    };
    const fingers = new Map();
    canvas.onpointerdown = (event) => { canvas.setPointerCapture(event.pointerId); fingers.set(event.pointerId, event); };
    canvas.onpointerup = canvas.onpointercancel = (event) => fingers.delete(event.pointerId);
    canvas.onpointermove = (event) => {
      if (!view) return;
      const box = canvas.getBoundingClientRect(), before = fingers.get(event.pointerId);
      const x = Math.floor(view.x + (event.clientX - box.left - box.width / 2) / view.zoom);
      const y = Math.floor(view.y + (event.clientY - box.top - box.height / 2) / view.zoom);
      at(".where").textContent = x >= 0 && y >= 0 && x < facts.width && y < facts.height ? `x ${x.toLocaleString("en-US")}, y ${y.toLocaleString("en-US")} px` : "";
      if (!before) return;
      if (fingers.size === 2) {
        const [other] = [...fingers.values()].filter(({ pointerId }) => pointerId !== event.pointerId);
        const spread = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
        zoom(spread(event) / (spread(before) || 1), (event.clientX + other.clientX) / 2 - box.left, (event.clientY + other.clientY) / 2 - box.top);
      } else {
        view.x -= (event.clientX - before.clientX) / view.zoom;
        view.y -= (event.clientY - before.clientY) / view.zoom;
        change();
      }
      fingers.set(event.pointerId, event);
    };
    canvas.addEventListener("wheel", (event) => {
      if (!view) return;
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
    }, { passive: false });
    canvas.onkeydown = (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!view || !(step || "+-0".includes(event.key))) return;
      event.preventDefault();
      if (step) { view.x += (40 * step[0]) / view.zoom; view.y += (40 * step[1]) / view.zoom; change(); }
      else if (event.key === "0") whole();
      else zoom(event.key === "+" ? 1.4 : 1 / 1.4);
    };
    at(".in").onclick = () => view && zoom(1.6);
    at(".out").onclick = () => view && zoom(1 / 1.6);
    at(".whole").onclick = () => view && whole();
    at(".low").onchange = () => view && change();
    at(".contrast").oninput = at(".picks input").onchange = draw;
    const observer = new ResizeObserver(() => { if (view) change(); });
    observer.observe(canvas);
    model.on("msg:custom", heard);
    model.send({ fresh: true });
    return () => { observer.disconnect(); model.off("msg:custom", heard); };
  },
};
