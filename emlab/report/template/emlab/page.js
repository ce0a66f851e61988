// Figures have the width of the screen; on paper each scales to its column.
addEventListener("beforeprint", () => {
  for (const svg of document.querySelectorAll(".bqplot svg")) {
    const { width, height } = svg.getBoundingClientRect();
    if (width > 0 && !svg.hasAttribute("viewBox")) svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  }
});
