// Which panel is open. The address of a page of its own remembers it, the micrograph that was chosen and the limits that
// are not applied yet, so that a page that is loaded again, or whose address is sent to somebody, shows the same.
export default {
  render({ model, el }) {
    const isPage = document.body.hasAttribute("data-voila");
    const bar = document.createElement("nav");
    bar.className = "emlab-tabs";
    bar.setAttribute("aria-label", "Panels");
    const buttons = model.get("names").map((name) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(name, document.createElement("b"));
      button.onclick = () => open(name);
      return button;
    });
    bar.append(...buttons);
    el.append(bar);
    const open = (name) => {
      model.set("shown", name);
      model.save_changes();
    };
    const remember = () => {
      const places = [model.get("shown"), model.get("item")].filter(Boolean).map(encodeURIComponent);
      const limits = model.get("limits");
      if (isPage) history.replaceState(null, "", `#${places.join("/")}${limits && "?"}${limits}`);
    };
    const mark = () => {
      model.get("names").forEach((name, at) => {
        const isOpen = name === model.get("shown");
        isOpen ? buttons[at].setAttribute("aria-current", "true") : buttons[at].removeAttribute("aria-current");
        const count = model.get("badges")[name] ?? 0;
        buttons[at].lastChild.textContent = count ? count.toLocaleString("en-US") : "";
      });
    };
    // Across only: the page stays where it is. A page that is not laid out yet does so when it is.
    const reveal = () => {
      const [row, shown] = [bar, buttons[model.get("names").indexOf(model.get("shown"))]].map((one) => one.getBoundingClientRect());
      bar.scrollLeft += shown.left + shown.width / 2 - row.left - row.width / 2;
    };
    const observer = new ResizeObserver(reveal);
    observer.observe(bar);
    bar.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step) buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length].focus();
    });
    model.on("change:shown change:badges", mark);
    model.on("change:shown", reveal);
    model.on("change:shown change:item change:limits", remember);
    mark();
    const [places, limits] = (isPage ? location.hash.slice(1) : "").split("?");
    const [wanted, item] = places.split("/").map(decodeURIComponent);
    if (item) model.set("item", item);
    if (limits) model.set("limits", limits);
    if (item || limits || (wanted && wanted !== model.get("shown"))) {
      open(model.get("names").includes(wanted) ? wanted : model.get("shown"));
    }
    return () => {
      observer.disconnect();
      model.off("change:shown change:badges", mark);
      model.off("change:shown", reveal);
      model.off("change:shown change:item change:limits", remember);
    };
  },
};
