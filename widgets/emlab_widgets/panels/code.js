// Code, and a button that copies it.
export default {
  render({ model, el }) {
    const code = document.createElement("code");
    const copy = document.createElement("button");
    copy.type = "button";
    copy.setAttribute("aria-live", "polite");
    const words = document.createElement("pre");
    words.append(code);
    const select = () => getSelection().selectAllChildren(code);
    copy.onclick = async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        copy.textContent = "Copied";
      } catch {
        // The clipboard is closed to pages that come without TLS from another machine.
        select();
        copy.textContent = document.execCommand("copy") ? "Copied" : "Selected: press Ctrl-C";
      }
    };
    const draw = () => {
      code.textContent = model.get("text");
      copy.textContent = "Copy as code";
      el.replaceChildren(...(code.textContent ? [words, copy] : []));
    };
    model.on("change:text", draw);
    draw();
    return () => model.off("change:text", draw);
  },
};
