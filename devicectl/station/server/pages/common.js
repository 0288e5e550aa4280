/* Parts that every page of the station shares: elements, requests, announcements, keys, alarms.
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

/** Time for an answer of the control API: a long lesson is executed again within a few seconds. */
const ANSWER_MS = 30_000;

/** One request of the control API; throws an Error with the server's sentence. */
export async function api(method, path, body) {
  const options = { method, headers: { accept: "application/json" }, signal: AbortSignal.timeout(ANSWER_MS) };
  if (body !== undefined) {
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  let text;
  try {
    response = await fetch(path, options);
    text = await response.text();
  } catch {
    throw new Error("The station does not answer: is it still running?");
  }
  const isJson = (response.headers.get("content-type") ?? "").includes("json");
  if (!response.ok) throw new Error((isJson && JSON.parse(text).words) || `The station refuses this (${response.status}).`);
  return isJson ? JSON.parse(text) : text;
}

/** Show the state of the connection to the station. Without it no control does anything, and all of them look so. */
export function showLink(up, words) {
  setText(byId("link"), words);
  byId("link").classList.toggle("lost", !up);
  document.body.classList.toggle("alone", !up);
}

/** True if a patch has one of these keys, or is none: a snapshot. */
export const changed = (patch, ...keys) => patch === undefined || keys.some((key) => key in patch);

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

/** Single keys as shortcuts, while the checkbox `box` is checked; it stays as it was left, on all pages of this browser.
 *
 * A key that belongs to what has the focus is none: where a person writes or chooses, and what presses a control.
 */
export function onKeys(keys, box) {
  const KEPT = "station keys";
  box.checked = localStorage.getItem(KEPT) !== "off";
  box.addEventListener("change", () => localStorage.setItem(KEPT, box.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    if (!box.checked || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea, dialog")) return;
    if (event.target.closest("button, a, summary, input") && [" ", "Enter"].includes(event.key)) return;
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

export const SIGNS = { high: "!!!", medium: "!!", low: "!", info: "i" };

/** The alarms that are shown, in the order in which the server has put them. */
export function showAlarms(list, alarms) {
  keyed(list, alarms, (alarm) => alarm.code, () => el("li", {}, el("b"), " ", el("span")), (item, alarm) => {
    setAttribute(item, "class", `alarm ${alarm.priority}`);
    setText(item.children[0], `${SIGNS[alarm.priority]} ${alarm.priority} ${alarm.label}`);
    setText(item.children[1], alarm.words);
  });
}
