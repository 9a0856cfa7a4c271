// Draws each picture into its figure. Marks without a tooltip of their own show what they encode. Expressions are
// interpreted (ast), so the page's policy need not allow code made at run time.
"use strict";
(() => {
  const wide = 720;       // px from which a picture takes a row of its own
  const legible = 0.82;   // of its size, below which it is not shrunk but scrolled
  const options = {
    renderer: "svg",
    ast: true,
    actions: {export: true, source: false, compiled: false, editor: false},
    config: {mark: {tooltip: true}},
    tooltip: {disableDefaultStyle: true},
  };

  const draw = async ({name, spec}) => {
    const figure = document.getElementById(name);
    const chart = figure.querySelector(".chart");
    try {
      const {view} = await vegaEmbed(chart, spec, {...options, downloadFileName: name});
      await view.runAsync();
      const width = chart.querySelector("svg").viewBox.baseVal.width;
      chart.style.setProperty("--legible", `${Math.round(width * legible)}px`);
      figure.classList.toggle("wide", width > wide);
      figure.setAttribute("aria-label", [spec.title?.text ?? name].flat(2).join(" "));
    } catch (error) {
      const message = document.createElement("p");
      message.className = "error";
      message.textContent = `${name} could not be drawn: ${error.message}`;
      chart.replaceChildren(message);
      console.error(error);
    }
  };

  const openAll = () => document.querySelectorAll("details:not(.chart *)").forEach((details) => { details.open = true; });
  addEventListener("beforeprint", openAll);

  const pictures = JSON.parse(document.getElementById("pictures").textContent);
  Promise.all(pictures.map(draw)).then(() => { document.documentElement.dataset.drawn = pictures.length; });
})();
