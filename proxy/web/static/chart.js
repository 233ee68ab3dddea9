// Bars, as SVG. What they show is beside them as a table, for who cannot see or wants the numbers.

import { el, svg } from "./dom.js";

/** Columns by time. `points` are {name, value, label}; `most` is the top of the scale. */
export function columns(points, { title, show }) {
  const [width, height, base, gap, left] = [720, 168, 22, 0.28, 44];
  const most = Math.max(...points.map((point) => point.value), 0);
  const step = (width - left) / Math.max(points.length, 1);
  const chart = svg("svg", { class: "columns", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}: ${points.map((point) => `${point.name} ${show(point.value)}`).join(", ")}` });
  for (const share of [0.5, 1]) {
    const y = height - base - share * (height - base - 14);
    chart.append(svg("line", { class: "grid", x1: left, x2: width, y1: y, y2: y }));
    if (most) chart.append(svg("text", { class: "scale", x: left - 8, y: y + 4, "text-anchor": "end" }, show(most * share)));
  }
  chart.append(svg("line", { class: "axis", x1: left, x2: width, y1: height - base, y2: height - base }));
  points.forEach((point, at) => {
    const tall = most ? (point.value / most) * (height - base - 14) : 0;
    const column = svg("rect", { class: "value", x: left + at * step + (step * gap) / 2, y: height - base - tall, width: step * (1 - gap), height: tall, rx: Math.min(3, tall / 2) });
    column.append(svg("title", {}, `${point.name}: ${show(point.value)}`));
    chart.append(column);
    if (point.label) chart.append(svg("text", { class: "label", x: left + at * step + step / 2, y: height - 6, "text-anchor": "middle" }, point.label));
  });
  return chart;
}

/** One bar a line, the names beside them. */
export function ranking(points, { title, show }) {
  const most = Math.max(...points.map((point) => point.value), 0);
  return el("ul", { class: "ranking", "aria-label": title }, ...points.map((point) => el("li", {},
    el("p", { class: "line" }, el("span", { class: "name" }, point.name), el("span", { class: "number" }, show(point.value))),
    svg("svg", { class: "bar", viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("rect", { class: "rest", width: 1000, height: 10 }),
      svg("rect", { class: "value", width: most ? (point.value / most) * 1000 : 0, height: 10 })))));
}
