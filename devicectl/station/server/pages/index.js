/* The start page: what the station is, the class with its links, and the lessons that can be started. */

import { api, byId, el, keyed, minutes, setAttribute, setText, showLink, svg } from "./common.js";

const EVERY_MS = 1000;
/** Pages of a station that have a link of their own; the instructor's is the page that you see. */
const VIEWS = { trainee: "Trainee", presenter: "Presenter" };

const refused = (words) => setText(byId("answer"), words);

/** Do something of the API and show its refusal; returns what it answers, or undefined. */
async function asked(method, path, body) {
  try {
    const answer = await api(method, path, body);
    refused("");
    return answer;
  } catch (error) {
    refused(error.message);
    return undefined;
  }
}

async function refresh() {
  try {
    show(await api("GET", "/api/stations"));
    showLink(true, "connected");
  } catch (error) {
    showLink(false, error.message);
  }
}

function show({ stations, limit, unfinished }) {
  byId("unfinished-part").hidden = unfinished.length === 0;
  keyed(byId("unfinished"), unfinished, (one) => one.lesson, madeOffer);
  byId("empty").hidden = stations.length > 0;
  setText(byId("stations-count"), `${stations.length} of ${limit}`);
  keyed(byId("stations"), stations, (one) => one.station, madeCard, updateCard);
}

function madeOffer({ lesson, title, trainee, words }) {
  return el("li", { class: "row" },
    el("span", { class: "grow" }, el("b", {}, title), trainee ? ` with ${trainee}` : "", `, ${words}`),
    el("button", { type: "button", class: "first", onclick: () => changed({ resume: lesson }) }, "Go on"),
    el("button", { type: "button", onclick: () => changed({ discard: lesson }) }, "End it"));
}

async function changed(body) {
  const answer = await asked("POST", "/api/stations", body);
  await refresh();
  return answer;
}

function madeCard({ station }) {
  const part = (tag, name) => el(tag, { class: name });
  const heading = part("h3", "heading");
  const facts = part("dl", "facts");
  const trouble = part("p", "refused");
  const buttons = el("p", { class: "row" },
    el("a", { class: "button", href: `/instructor/${station}` }, "Instructor"),
    el("a", { class: "button", href: `/presenter/${station}` }, "Presenter"),
    el("button", { type: "button", onclick: () => showLinks(station) }, "Links"),
    el("button", { type: "button", onclick: () => remove(station) }, "End"));
  for (const button of buttons.children) button.append(el("span", { class: "visually-hidden" }, ` of station ${station}`));
  return Object.assign(el("li", { class: "panel stack" }, heading, facts, trouble, buttons), { heading, facts, trouble });
}

function updateCard(card, row) {
  setText(card.heading, `${row.station}: ${row.title}`);
  setText(card.trouble, row.trouble ?? "");
  const { clock } = row;
  const pages = Object.entries(row.connected).filter(([, count]) => count > 0).map(([view, count]) => (count > 1 ? `${view} (${count})` : view));
  const facts = {
    trainee: row.trainee || "no name",
    state: row.executing ?? row.state.words,
    time: `${minutes(clock.t_ms)} ${clock.ended ? "ended" : clock.running ? `runs at ${clock.speed}x` : "held"}`,
    "last act": row.last_act ? `${row.last_act.words} at ${minutes(row.last_act.at_ms)}` : "none yet",
    "open pages": pages.join(", ") || "none",
  };
  keyed(card.facts, Object.entries(facts), ([name]) => name, ([name]) => el("div", {}, el("dt", {}, name), el("dd")),
    (pair, [, words]) => setText(pair.lastChild, words));
}

async function remove(station) {
  if (!confirm(`End station ${station}? What was done is kept in the log.`)) return;
  await asked("DELETE", `/api/stations/${station}`);
  await refresh();
}

async function showLinks(station) {
  const answer = await asked("GET", `/api/stations/${station}`);
  if (answer === undefined) return;
  setText(byId("links-title"), `Links of station ${station}${answer.trainee ? `: ${answer.trainee}` : ""}`);
  byId("link-list").replaceChildren(...Object.keys(VIEWS).map((view) => madeLink(station, view, answer.links[view])));
  byId("links").showModal();
}

function madeLink(station, view, link) {
  const address = el("a", { target: "_blank", rel: "noreferrer" });
  const code = el("div", { class: "code" });
  const copied = el("span", { role: "status" });
  const put = ({ url, qr }) => {
    address.href = url;
    setText(address, url);
    code.replaceChildren(
      svg("svg", { viewBox: `0 0 ${qr.size} ${qr.size}`, "aria-hidden": "true" },
        svg("rect", { class: "paper", width: qr.size, height: qr.size }), svg("path", { class: "ink", d: qr.d })));
    setText(copied, "");
  };
  const renew = async () => {
    const made = await asked("POST", `/api/stations/${station}/link`, { view });
    if (made === undefined) return;
    put(made);
    setText(copied, "New link: the old one has ended.");
  };
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(address.href);
      setText(copied, "Copied.");
    } catch {
      setText(copied, "The browser does not allow copying here: select the link above.");
    }
  };
  put(link);
  return el("section", { class: "stack" },
    el("h3", {}, VIEWS[view]), code, el("p", { class: "address" }, address),
    el("p", { class: "row" },
      el("button", { type: "button", onclick: copy }, `Copy the ${view}'s link`),
      el("button", { type: "button", onclick: renew }, `New link for the ${view}`)),
    copied);
}

function madeLesson(lesson, index) {
  const radio = el("input", { type: "radio", name: "lesson", value: lesson.scenario, checked: index === 0 });
  return el("label", { class: "lesson" }, radio,
    el("span", {}, el("b", {}, lesson.title), ` ${lesson.minutes} min`, el("br"),
      el("span", { class: "soft" }, lesson.objectives.join(" "))));
}

async function start(event) {
  event.preventDefault();
  const body = {};
  const file = byId("file").files[0];
  if (file) body.text = await file.text();
  else body.scenario = byId("lessons").querySelector("input:checked").value;
  if (byId("trainee").value.trim()) body.trainee = byId("trainee").value.trim();
  if (byId("seed").value) body.seed = Number(byId("seed").value);
  const row = await changed(body);
  if (row === undefined) return;
  byId("file").value = "";
  byId("trainee").value = "";
  await showLinks(row.station);
}

async function begin() {
  byId("start").onsubmit = start;
  setInterval(() => document.hidden || refresh(), EVERY_MS);
  await refresh();
  const answer = await asked("GET", "/api/scenarios");
  if (answer !== undefined) byId("lessons").replaceChildren(...answer.scenarios.map(madeLesson));
  setAttribute(byId("start"), "aria-busy", false);
  performance.mark("ready"); // how long the page took to open
}

begin();
