/* Parts that every page of the station shares: the socket and its numbered patches, elements, announcements, drawings.
 *
 * Law: nothing here makes markup of text, or decides anything that the server has to decide.
 */

/** An element with attributes, listeners (`onclick: function`) and children; a string is text and never markup. */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for a part of a drawing. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

export const byId = (id) => document.getElementById(id);

/** Write `words` into a node, if they differ: what is written again is read aloud again. */
export function setText(node, words) {
  const text = words === undefined ? "" : String(words);
  if (node.textContent !== text) node.textContent = text;
}

/** Set an attribute, if it differs; `false` and `undefined` remove it. */
export function setAttribute(node, name, value) {
  if (value === false || value === undefined) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}

/** Make the children of `parent` follow `items`. One that stays keeps its element, and so its focus and its pointer. */
export function keyed(parent, items, keyOf, make, update = () => {}) {
  const kept = (parent.keyedNodes ??= new Map());
  const wanted = new Set(items.map((item) => String(keyOf(item))));
  for (const [key, node] of kept) {
    if (wanted.has(key)) continue;
    node.remove();
    kept.delete(key);
  }
  items.forEach((item, index) => {
    const key = String(keyOf(item));
    const node = kept.get(key) ?? make(item);
    kept.set(key, node);
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
    update(node, item);
  });
}

/** A time of the lesson for people: 0:07, 12:30; one before the lesson began has a minus. */
export function minutes(ms) {
  const seconds = Math.floor(Math.abs(ms) / 1000);
  return `${ms < 0 && seconds > 0 ? "-" : ""}${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** The number at the end of the page's path. */
export const stationNumber = () => Number(location.pathname.split("/").pop());

/** One request of the control API; throws an Error with the server's sentence. */
export async function api(method, path, body) {
  const options = { method, headers: { accept: "application/json" } };
  if (body !== undefined) {
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The station does not answer: is it still running?");
  }
  const text = await response.text();
  const isJson = (response.headers.get("content-type") ?? "").includes("json");
  if (!response.ok) throw new Error((isJson && JSON.parse(text).words) || `The station refuses this (${response.status}).`);
  return isJson ? JSON.parse(text) : text;
}

/** The document after a merge patch of RFC 7386. */
export function merged(target, patch) {
  if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
  const result = target !== null && typeof target === "object" && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

const FIRST_WAIT_MS = 250;
const LAST_WAIT_MS = 4000;
const REVOKED = 1008;
/** A running lesson sends many patches a second: after so long without one the socket is half open. */
const SILENCE_MS = 3000;

/** A view's socket. It connects again by itself and asks for what it has missed; no page is ever reloaded.
 *
 * `shown(view, patch)` gets each new document, with the patch that led to it, undefined for a snapshot;
 * `linked(up, words)` gets the state of the connection.
 */
export class Station {
  #socket;
  #view;
  #no = 0;
  #nextId = 1;
  #answers = new Map();
  #waitMs = FIRST_WAIT_MS;
  #heardMs = 0;
  #ended = false;

  constructor(view, number, { shown, linked }) {
    this.path = `/ws/${view}/${number}`;
    this.shown = shown;
    this.linked = linked;
    setInterval(() => this.#look(), 1000);
    this.#open();
  }

  /** Do an act; resolves to {ok, words}, also when the connection is lost: then nobody knows if it was done. */
  act(name, args = {}) {
    if (this.#socket.readyState !== WebSocket.OPEN) {
      return Promise.resolve({ ok: false, words: "There is no connection to the station." });
    }
    const id = this.#nextId++;
    this.#send({ type: "act", id, name, arguments: args });
    return new Promise((resolve) => this.#answers.set(id, resolve));
  }

  /** Renew the lease of a trigger that is held. */
  hold() {
    if (this.#socket.readyState === WebSocket.OPEN) this.#send({ type: "hold" });
  }

  #open() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${this.path}`);
    this.#socket = socket;
    socket.onopen = () => this.#send({ type: "resume", last: this.#no });
    socket.onmessage = (event) => this.#socket === socket && this.#receive(JSON.parse(event.data));
    socket.onclose = (event) => this.#socket === socket && this.#lost(event.code);
  }

  #send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  #receive(message) {
    this.#heardMs = performance.now();
    if (message.type === "answer") {
      this.#answers.get(message.id)?.(message);
      this.#answers.delete(message.id);
      return;
    }
    if (message.type === "patch" && message.no !== this.#no + 1) {
      this.#socket.close(); // one is missing: connect again and ask for it
      return;
    }
    this.#no = message.no;
    this.#view = message.type === "snapshot" ? message.view : merged(this.#view, message.patch);
    this.#waitMs = FIRST_WAIT_MS;
    this.linked(true, "connected");
    this.shown(this.#view, message.patch);
  }

  async #lost(code) {
    for (const resolve of this.#answers.values()) {
      resolve({ ok: false, words: "The connection was lost before the station answered." });
    }
    this.#answers.clear();
    if (this.#ended) return;
    if (code === REVOKED || (await this.#refused())) {
      this.#ended = true;
      this.linked(false, "This link is no longer valid: ask the instructor for a new one.");
      return;
    }
    this.linked(false, "The connection is lost. Connecting again…");
    const spread = 0.5 + Math.random() / 2; // or eight tablets come back in one instant
    setTimeout(() => this.#open(), this.#waitMs * spread);
    this.#waitMs = Math.min(this.#waitMs * 2, LAST_WAIT_MS);
  }

  /** True if the server is there and lets this page in no more: a refused handshake tells a script nothing. */
  async #refused() {
    try {
      return [401, 403, 404].includes((await fetch(location.pathname)).status);
    } catch {
      return false;
    }
  }

  #look() {
    const silent = performance.now() - this.#heardMs > SILENCE_MS;
    const moves = this.#view?.clock.running && !this.#view.clock.ended;
    if (silent && moves && this.#socket.readyState === WebSocket.OPEN) {
      const socket = this.#socket;
      socket.onclose = null; // a close of a half-open socket may take a minute to be heard
      socket.close();
      this.#lost(0);
    }
  }
}

const SPOKEN_EVERY_MS = 1200;
const STALE_MS = 6000;

/** A polite live region that is written to seldom. A sentence waits for those before it; one that is replaced by a
 * newer one of the same `subject`, or has become old, is never read. */
export class Announcer {
  #waiting = new Map();
  #timer;

  constructor(region) {
    this.region = region;
  }

  say(subject, words) {
    this.#waiting.delete(subject);
    this.#waiting.set(subject, { words, at: performance.now() });
    this.#timer ??= setTimeout(() => this.#speak(), 50);
  }

  #speak() {
    this.#timer = undefined;
    for (const [subject, { words, at }] of this.#waiting) {
      this.#waiting.delete(subject);
      if (performance.now() - at > STALE_MS) continue;
      this.region.replaceChildren(words); // replaced, not compared: the same words again are news
      this.#timer = setTimeout(() => this.#speak(), SPOKEN_EVERY_MS);
      return;
    }
  }
}

/** Single keys as shortcuts, while `enabled()`. Not where a person writes or chooses, and never with another key held. */
export function onKeys(keys, enabled) {
  document.addEventListener("keydown", (event) => {
    if (!enabled() || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (event.target.closest("input, select, textarea, summary, dialog")) return;
    if (event.target.closest("button, a") && [" ", "Enter"].includes(event.key)) return;
    const does = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!does) return;
    event.preventDefault();
    does();
  });
}

/** The lesson's time between two patches: what the last one said, moved on at the lesson's speed. */
export class LessonTime {
  #clock = { t_ms: 0, speed: 1, running: false };
  #since = 0;

  sync(clock) {
    this.#clock = clock;
    this.#since = performance.now();
  }

  get ms() {
    const { t_ms, speed, running } = this.#clock;
    return running ? t_ms + (performance.now() - this.#since) * speed : t_ms;
  }
}

const SIGNS = { high: "!!!", medium: "!!", low: "!", info: "i" };

/** The alarms that are shown, in the order in which the server has put them. */
export function showAlarms(list, alarms) {
  keyed(list, alarms, (alarm) => alarm.code, () => el("li", {}, el("b"), " ", el("span")), (item, alarm) => {
    setAttribute(item, "class", `alarm ${alarm.priority}`);
    setText(item.children[0], `${SIGNS[alarm.priority]} ${alarm.priority} ${alarm.label}`);
    setText(item.children[1], alarm.words);
  });
}

const SPEEDS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 60];
const STEPS = { phase: "Next phase", cycle: "Next cycle", alarm: "To the next alarm" };

/** Run and hold, speed, steps and prepared stops of a station, for who may set them. */
export class Pace {
  #clock = { running: false, speed: 1 };
  #stopsTold;

  /** `refused(words)` gets the sentence of what could not be done, and an empty one when it could. */
  constructor(root, number, refused) {
    this.path = `/api/stations/${number}/pace`;
    this.refused = refused;
    this.runButton = el("button", { type: "button", class: "first run", onclick: () => this.toggle() }, "Run");
    this.speed = el("select", { onchange: () => this.set({ speed: Number(this.speed.value) }) });
    this.speed.append(...SPEEDS.map((speed) => el("option", { value: speed }, `${speed}x`)));
    this.stops = el("div", { class: "row" });
    const steps = Object.entries(STEPS).map(([step, words]) =>
      el("button", { type: "button", onclick: () => this.step(step) }, words));
    this.buttons = el("div", { class: "row" },
      this.runButton,
      el("label", {}, "Speed ", this.speed),
      el("button", { type: "button", "aria-label": "slower", onclick: () => this.faster(-1) }, "−"),
      el("button", { type: "button", "aria-label": "faster", onclick: () => this.faster(1) }, "+"),
      ...steps);
    this.speed.value = String(this.#clock.speed);
    root.append(this.buttons, el("fieldset", { class: "stops" }, el("legend", {}, "Hold by itself"), this.stops));
  }

  /** What a person has just chosen stays until the server has said something new about it. */
  show({ clock, stops }) {
    if (clock.speed !== this.#clock.speed) this.speed.value = String(clock.speed);
    this.#clock = clock;
    setText(this.runButton, clock.ended ? "Ended" : clock.running ? "Hold" : "Run");
    setAttribute(this.runButton, "disabled", clock.ended && "");
    const told = JSON.stringify(stops);
    if (told === this.#stopsTold) return;
    this.#stopsTold = told;
    keyed(this.stops, stops, (stop) => stop.stop, (stop) => this.#stopBox(stop), (label, stop) => {
      label.box.checked = stop.chosen;
      setText(label.words, stop.done ? `${stop.words} (done)` : stop.words);
    });
  }

  toggle() {
    return this.set({ running: !this.#clock.running });
  }

  step(step) {
    return this.set({ step });
  }

  faster(by) {
    const now = SPEEDS.findLastIndex((speed) => speed <= this.#clock.speed);
    const speed = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, now + by))];
    return this.set({ speed });
  }

  async set(body) {
    try {
      await api("POST", this.path, body);
      this.refused("");
    } catch (error) {
      this.refused(error.message);
      this.#stopsTold = undefined; // what was chosen and refused goes back with the next patch
    }
  }

  #stopBox(stop) {
    const box = el("input", { type: "checkbox", value: stop.stop, onchange: () => this.#choose() });
    const words = el("span");
    return Object.assign(el("label", {}, box, words), { box, words });
  }

  #choose() {
    const chosen = [...this.stops.querySelectorAll("input:checked")].map((box) => box.value);
    return this.set({ stops: chosen });
  }
}

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
