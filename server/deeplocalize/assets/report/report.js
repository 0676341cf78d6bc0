"use strict";
// Draws the report from the data in the page. Nothing is loaded from anywhere.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const cursors = uPlot.sync("steps");
  const plots = [];

  /** An element with text and children. */
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  };
  const number = (value) => {
    if (value === null || value === undefined) return "–";
    const size = Math.abs(value);
    return size !== 0 && (size >= 1e5 || size < 1e-3) ? value.toExponential(2) : String(+value.toPrecision(4));
  };
  const percent = (value) => (value === null || value === undefined ? "–" : `${(100 * value).toFixed(0)} %`);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  // Header
  const verdict = document.getElementById("verdict");
  verdict.textContent = data.verdict;
  verdict.className = data.verdict;
  document.getElementById("script").textContent = data.script;
  document.getElementById("run").textContent = data.about;
  document.getElementById("theme").addEventListener("click", () => {
    const dark = document.documentElement.dataset.theme
      ? document.documentElement.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches || document.body.classList.contains("vscode-dark");
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    plots.forEach((redraw) => redraw());
  });
  if (document.body.classList.contains("vscode-dark")) document.documentElement.dataset.theme = "dark";
  if (document.body.classList.contains("vscode-light")) document.documentElement.dataset.theme = "light";

  // Findings
  const findings = document.getElementById("findings");
  if (data.findings.length === 0) findings.append(make("p", {}, "No fault was found."));
  for (const finding of data.findings) {
    const excerpt = make("pre", { "aria-label": `${finding.place}`, tabindex: "0" });
    for (const line of finding.excerpt) {
      const [start, end] = line.mark ?? [line.text.length, line.text.length];
      excerpt.append(
        make(
          "div",
          { class: line.mark && "here" },
          make("span", { class: "number" }, String(line.number)),
          line.text.slice(0, start),
          line.mark ? make("mark", {}, line.text.slice(start, end)) : null,
          line.text.slice(end),
        ),
      );
    }
    const fixes = finding.fixes.map((fix) =>
      make("li", {}, fix.title, fix.trial ? make("span", { class: "quiet" }, ` — ${fix.trial}`) : null),
    );
    findings.append(
      make(
        "article",
        {},
        make("p", { class: finding.severity }, `${finding.severity} · ${finding.kind} · `, make("a", { href: finding.page }, finding.code)),
        make("h3", {}, finding.message),
        make("p", { class: "quiet" }, finding.place),
        excerpt,
        ...finding.evidence.map((seen) => {
          if (seen.step === null && seen.layer === null) return make("p", { class: "quiet" }, `Seen: ${seen.text}`);
          const button = make("button", { type: "button", class: "evidence" }, `Seen: ${seen.text}`);
          button.addEventListener("click", () => show(seen));
          return button;
        }),
        fixes.length > 0 ? make("ul", { class: "fixes", "aria-label": "What to do" }, ...fixes) : null,
      ),
    );
  }

  /** Scrolls to what a piece of evidence speaks of and puts the cursor of all plots on its step. */
  function show({ step, layer, fit }) {
    const place = document.getElementById(`fit-${fit ?? 0}-layer-${layer}`) ?? document.getElementById(`fit-${fit ?? 0}`);
    place?.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    if (step !== null) for (const plot of cursors.plots) point(plot, step);
  }
  function point(plot, step) {
    plot.setCursor({ left: plot.valToPos(step, "x"), top: plot.over.clientHeight / 2 }, true, true);
  }

  /** A plot: lines [{name, y, key}], all over the same steps. */
  function plot(parent, { name, x, lines, log = false, broken = null, height = 130, range }) {
    const shown = lines.filter((line) => line.y.some((value) => value !== null && (!log || value > 0)));
    if (shown.length === 0) return;
    const readout = make("output", {});
    const box = make(
      "div",
      { class: "plot", tabindex: "0", role: "img", "aria-label": `${name}: ${shown.map((line) => `${line.name} from ${number(first(line.y))} to ${number(last(line.y))}`).join(", ")}` },
      make(
        "div",
        { class: "name" },
        make("strong", {}, name),
        ...(shown.length > 1 ? shown.map((line) => make("span", { class: "key", style: `--key: var(--${line.key})` }, line.name)) : []),
        readout,
      ),
    );
    parent.append(box);
    let drawn = null;
    const draw = () => {
      drawn?.destroy();
      const grid = { stroke: colour("line"), width: 1 };
      const axis = { stroke: colour("quiet"), grid, ticks: { show: false }, font: "11px system-ui" };
      drawn = new uPlot(
        {
          width: Math.max(box.clientWidth, 160),
          height,
          legend: { show: false },
          cursor: { sync: { key: "steps", setSeries: false }, y: false, points: { size: 6 }, drag: { x: true, y: false } },
          scales: { x: { time: false }, y: { distr: log ? 3 : 1, ...(range ? { range } : {}) } },
          axes: [
            { ...axis, size: 26, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? String(tick + 1) : "")) },
            { ...axis, size: 52, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : number(tick))) },
          ],
          series: [{}, ...shown.map((line) => ({ stroke: colour(line.key), width: 1.6, dash: line.dash, spanGaps: true, points: { show: x.length < 3 } }))],
          hooks: {
            setCursor: [
              (plot) => {
                const index = plot.cursor.idx;
                readout.textContent =
                  index === null || index === undefined || plot.cursor.left < 0
                    ? number(last(shown[0].y))
                    : `step ${x[index] + 1}: ${shown.map((line) => number(line.y[index])).join(" / ")}`;
              },
            ],
            draw: [
              (plot) => {
                if (broken === null) return;
                const left = plot.valToPos(broken, "x", true);
                plot.ctx.save();
                plot.ctx.strokeStyle = colour("error");
                plot.ctx.lineWidth = 2;
                plot.ctx.setLineDash([5, 4]);
                plot.ctx.beginPath();
                plot.ctx.moveTo(left, plot.bbox.top);
                plot.ctx.lineTo(left, plot.bbox.top + plot.bbox.height);
                plot.ctx.stroke();
                plot.ctx.restore();
              },
            ],
          },
        },
        [x, ...shown.map((line) => line.y.map((value) => (log && !(value > 0) ? null : value)))],
        box,
      );
      cursors.sub(drawn);
    };
    readout.textContent = number(last(shown[0].y));
    let index = x.length - 1;
    box.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -x.length, End: x.length }[event.key];
      if (move === undefined) return;
      event.preventDefault();
      index = Math.min(Math.max(index + move, 0), x.length - 1);
      point(drawn, x[index]);
    });
    draw();
    plots.push(draw);
    new ResizeObserver(() => drawn.setSize({ width: Math.max(box.clientWidth, 160), height })).observe(box);
  }
  const first = (values) => values.find((value) => value !== null);
  const last = (values) => values.findLast((value) => value !== null);

  /** Shares between 0 and 1 over the steps, one row a layer. */
  function heat(parent, title, fit, field) {
    const rows = fit.layers.filter((layer) => layer[field].some((share) => share > 0));
    if (rows.length === 0) return;
    parent.append(make("h3", {}, title));
    for (const layer of rows) {
      const canvas = make("canvas", { class: "heat", width: String(Math.max(layer.x.length, 2)), height: "1", style: "height: 18px; image-rendering: pixelated",
        role: "img", "aria-label": `${layer.name}: from ${percent(first(layer[field]))} to ${percent(last(layer[field]))}` });
      const draw = () => {
        const context = canvas.getContext("2d");
        context.clearRect(0, 0, canvas.width, 1);
        context.fillStyle = colour("error");
        layer[field].forEach((share, index) => {
          context.globalAlpha = Math.min(Math.max(share ?? 0, 0), 1);
          context.fillRect(index, 0, 1, 1);
        });
      };
      draw();
      plots.push(draw);
      parent.append(make("div", { class: "heat-row" }, make("span", { title: layer.name }, layer.name), canvas, make("span", {}, percent(last(layer[field])))));
    }
  }

  // Trainings
  const fits = document.getElementById("fits");
  data.fits.forEach((fit, number_) => {
    const section = make("section", { id: `fit-${number_}` }, make("h2", {}, fit.title), make("p", { class: "quiet" }, fit.about));
    fits.append(section);
    if (fit.broken !== null) {
      section.append(make("p", { class: "error" }, `Not finite from step ${fit.broken + 1} on (red dashed line)${fit.brokenIn ? `: first in ${fit.brokenIn}` : ""}.`));
    }
    const top = make("div", { class: "grid" });
    section.append(top);
    for (const curve of fit.curves) {
      plot(top, { name: curve.name, x: curve.x, lines: [{ name: curve.name, y: curve.y, key: "a" }], broken: fit.broken, height: 170,
        log: curve.log });
    }
    heat(section, "Dead units: 0 for every sample of the batch", fit, "dead");
    heat(section, "Saturated: in the flat part of the activation", fit, "saturated");
    for (const layer of fit.layers) {
      const box = make(
        "div",
        { class: `layer${layer.accused ? " accused" : ""}`, id: `fit-${number_}-layer-${layer.index}` },
        make("h3", {}, `${layer.index} · ${layer.name}`),
        make("p", { class: "quiet" }, layer.about),
      );
      const grid = make("div", { class: "grid" });
      box.append(grid);
      section.append(box);
      const shared = { x: layer.x, broken: fit.broken };
      plot(grid, { ...shared, name: "output", lines: [
        { name: "mean", y: layer.mean, key: "a" }, { name: "min", y: layer.min, key: "c", dash: [4, 3] }, { name: "max", y: layer.max, key: "b", dash: [4, 3] },
      ] });
      plot(grid, { ...shared, name: "gradient norm (log)", log: true, lines: [
        { name: "of the output", y: layer.gradient, key: "a" }, { name: "of the kernel", y: layer.kernelGradient, key: "b" },
      ] });
      plot(grid, { ...shared, name: "kernel norm", lines: [{ name: "kernel", y: layer.kernel, key: "a" }] });
      plot(grid, { ...shared, name: "update ratio ‖ΔW‖/‖W‖ (log)", log: true, lines: [{ name: "ratio", y: layer.ratio, key: "d" }] });
    }
    const table = make("table", {}, make("tr", {}, ...["layer", "output mean", "min", "max", "dead", "gradient norm", "update ratio"].map((name) => make("th", { scope: "col" }, name))));
    for (const layer of fit.layers) {
      table.append(make("tr", {}, ...[layer.name, number(last(layer.mean)), number(last(layer.min)), number(last(layer.max)), percent(last(layer.dead)), number(last(layer.gradient)), number(last(layer.ratio))].map((text) => make("td", {}, text))));
    }
    section.append(make("details", {}, make("summary", {}, "Numbers at the last probed step"), make("div", { class: "wide", tabindex: "0" }, table)));
  });
})();
