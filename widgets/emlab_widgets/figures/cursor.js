// A list of which only the point in question is there: a screen reader hears each as it comes.
const KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "Enter", " "];

let options = 0;

export default {
  render({ model, el }) {
    const list = document.createElement("div");
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", model.get("label"));
    el.append(list);
    const draw = () => {
      const { text, place, count, chosen } = model.get("shown");
      list.hidden = !count;
      list.tabIndex = count ? 0 : -1;
      if (!count) return;
      const option = document.createElement("div");
      option.id = `emlab-option-${options++}`;
      option.textContent = text;
      const attributes = { role: "option", "aria-posinset": place + 1, "aria-setsize": count, "aria-selected": chosen };
      for (const [name, value] of Object.entries(attributes)) option.setAttribute(name, value);
      list.replaceChildren(option);
      list.setAttribute("aria-activedescendant", option.id);
    };
    list.onkeydown = (event) => {
      if (!KEYS.includes(event.key) || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      model.send({ key: event.key });
    };
    list.onclick = () => model.send({ key: "Enter" }); // a screen reader's; the mouse goes through
    list.onfocus = () => model.send({ focused: true });
    list.onblur = () => model.send({ focused: false });
    model.on("change:shown", draw);
    draw();
    return () => model.off("change:shown", draw);
  },
};
