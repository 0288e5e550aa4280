/* Drawings that more than one page has, each with a text twin: the vacuum with its limits, and the map of cells. */

import { el, keyed, setAttribute, setText, svg } from "./common.js";

const GAUGE_KPA = 70;

/** The vacuum as a bar with its limits. `root` is an empty element; the text twin is a paragraph in it. */
export class Gauge {
  constructor(root) {
    this.bar = svg("rect", { class: "gauge-bar", x: 0, y: 6, height: 12, width: 0 });
    this.limits = svg("g");
    this.value = el("p", { class: "gauge-value" });
    this.twin = el("p", { class: "twin" });
    const drawing = svg(
      "svg",
      { viewBox: `0 0 ${GAUGE_KPA} 24`, preserveAspectRatio: "none", "aria-hidden": "true", class: "gauge" },
      svg("rect", { class: "gauge-back", x: 0, y: 6, height: 12, width: GAUGE_KPA }),
      this.bar,
      this.limits,
    );
    root.append(this.value, drawing, this.twin);
  }

  show({ kpa, low_kpa: low, stop_kpa: stop, set_kpa: set }) {
    const enough = kpa !== undefined && kpa <= low;
    setAttribute(this.bar, "width", kpa === undefined ? 0 : Math.min(GAUGE_KPA, Math.max(0, -kpa)).toFixed(1));
    setAttribute(this.bar, "class", `gauge-bar ${enough ? "enough" : "low"}`);
    setText(this.value, kpa === undefined ? "vacuum unknown" : `${kpa.toFixed(1)} kPa`);
    const limits = [["stop", stop], ["low", low], ["set", set]].filter(([, limit]) => limit !== undefined);
    keyed(this.limits, limits, ([name]) => name, ([name]) => svg("rect", { class: `gauge-${name}`, y: 0, height: 24, width: 0.8 }),
      (mark, [, limit]) => setAttribute(mark, "x", (-limit - 0.4).toFixed(1)));
    const verdict = kpa === undefined ? "not known" : enough ? "strong enough for a cycle" : "too weak for a new cycle";
    setText(this.twin, `Vacuum ${verdict}. A new cycle needs ${low} kPa; at ${stop} kPa the needles are drawn back; the pump is set to ${set} kPa.`);
  }
}

const COLUMNS_TO_ROWS = 1.6;
const FEW_CELLS = 60;

/** The cells of each zone, filling up from below. Only cells that were begun have an element of their own. */
export class CellMap {
  constructor(root) {
    this.zones = el("div", { class: "zones" });
    this.twin = el("p", { class: "twin" });
    root.append(this.zones, this.twin);
  }

  show({ zones, cells, place }) {
    setAttribute(this.zones, "class", allCells(zones) <= FEW_CELLS ? "zones few" : "zones");
    keyed(this.zones, zones, (zone) => zone.zone, drawnZone);
    const byZone = Map.groupBy(Object.entries(cells), ([key]) => Number(key.split(":")[0]));
    for (const zone of zones) {
      const drawing = this.zones.keyedNodes.get(String(zone.zone));
      const columns = columnsOf(zone);
      keyed(drawing.cells, byZone.get(zone.zone) ?? [], ([key]) => key, () => svg("rect", { width: 0.84 }),
        (rect, [key, percent]) => fillCell(rect, Number(key.split(":")[1]), percent, columns));
      const here = place?.zone === zone.zone;
      setAttribute(drawing.mark, "visibility", here ? "visible" : "hidden");
      if (here) moveTo(drawing.mark, place.cell, columns);
    }
    setText(this.twin, mapInWords(zones, cells, place));
  }
}

const allCells = (zones) => zones.reduce((sum, zone) => sum + zone.area_cm2, 0);
const columnsOf = (zone) => Math.max(1, Math.ceil(Math.sqrt(zone.area_cm2 * COLUMNS_TO_ROWS)));

function drawnZone(zone) {
  const columns = columnsOf(zone);
  const rows = Math.ceil(zone.area_cm2 / columns);
  let grid = "";
  for (let cell = 0; cell < zone.area_cm2; cell++) grid += `M${cell % columns + 0.08} ${Math.floor(cell / columns) + 0.08}h.84v.84h-.84z`;
  const cells = svg("g");
  const mark = svg("rect", { class: "cell-here", width: 1, height: 1, rx: 0.15, visibility: "hidden" });
  const drawing = svg("svg", { viewBox: `-0.1 -0.1 ${columns + 0.2} ${rows + 0.2}`, "aria-hidden": "true" }, svg("path", { class: "cell-grid", d: grid }), cells, mark);
  drawing.style.setProperty("--columns", columns);
  const figure = el("div", { class: "zone" }, el("span", { class: "zone-name" }, zone.name), drawing);
  return Object.assign(figure, { cells, mark });
}

function fillCell(rect, cell, percent, columns) {
  const height = 0.84 * Math.min(1, percent / 100);
  setAttribute(rect, "class", percent >= 100 ? "cell full" : "cell");
  setAttribute(rect, "x", (cell % columns + 0.08).toFixed(2));
  setAttribute(rect, "y", (Math.floor(cell / columns) + 0.92 - height).toFixed(3));
  setAttribute(rect, "height", height.toFixed(3));
}

function moveTo(mark, cell, columns) {
  setAttribute(mark, "x", cell % columns);
  setAttribute(mark, "y", Math.floor(cell / columns));
}

function mapInWords(zones, cells, place) {
  const full = Object.values(cells).filter((percent) => percent >= 100).length;
  const begun = Object.keys(cells).length;
  const name = zones.find((zone) => zone.zone === place?.zone)?.name;
  const here = place === undefined ? "The handpiece is on no cell." : `The handpiece is on cell ${place.cell + 1} of ${name}, filled to ${Math.round(cells[`${place.zone}:${place.cell}`] ?? 0)} %.`;
  return `${allCells(zones)} cells: ${full} full, ${begun - full} begun. ${here}`;
}
