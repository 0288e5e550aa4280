/* The start page: what the station is, the class with its links, and the lessons that can be started. */

import { api, byId, el, keyed, minutes, setText, showLink, svg } from "./common.js";

const EVERY_MS = 1000;
/** Pages of a station that have a link of their own; the instructor's is the page that you see. */
const VIEWS = { trainee: "Trainee", presenter: "Presenter" };

/** A seed as it is written: what is longer no number of a script holds exactly. */
const SEED = /^[0-9]{0,15}$/;
/** The part of an address that gives station N its next lesson: /#next-N. */
const NEXT = /^#next-([0-9])$/;
let stations = [];

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

function show({ stations: shown, limit, unfinished }) {
  stations = shown;
  byId("unfinished-part").hidden = unfinished.length === 0;
  keyed(byId("unfinished"), unfinished, (one) => one.lesson, madeOffer);
  byId("empty").hidden = stations.length > 0;
  setText(byId("stations-count"), `${stations.length} of ${limit}`);
  keyed(byId("stations"), stations, (one) => one.station, madeCard, updateCard);
  const places = [{ station: "" }, ...stations];
  keyed(byId("where"), places, (one) => one.station, ({ station }) => el("option", { value: station }), (option, { station, trainee }) =>
    setText(option, station === "" ? "a new one" : `${station}${trainee ? `: ${trainee}` : ""}`));
}

/** Choose a station for the next lesson: with its trainee, whose name may be changed, and the lesson that it has. */
function choose(station) {
  const row = stations.find((one) => one.station === station);
  byId("where").value = row === undefined ? "" : String(station);
  byId("trainee").value = row?.trainee ?? "";
  const lesson = byId("lessons").querySelector(`input[value="${CSS.escape(row?.scenario ?? "")}"]`);
  if (lesson !== null) lesson.checked = true;
  setText(byId("start-title"), row === undefined ? "Start a lesson" : `Start the next lesson of station ${station}`);
}

function showNext(station) {
  choose(station);
  byId("start-title").focus();
  byId("start").scrollIntoView();
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
    el("button", { type: "button", onclick: () => showNext(station) }, "Next lesson"),
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
    ...(row.host ? { "somebody else's host": row.host } : {}),
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
  refused("");
  setText(byId("started"), "");
  if (!SEED.test(byId("seed").value)) {
    refused("Seed: a whole number of at most 15 digits, or empty.");
    byId("seed").focus();
    return;
  }
  const there = stations.find((one) => String(one.station) === byId("where").value);
  if (there?.last_act && !there.ended && !confirm(`The lesson of station ${there.station} is not over. End it? What was done is kept in the log.`)) return;
  const row = await changed(await written(there));
  if (row === undefined) return;
  for (const id of ["file", "trainee", "seed"]) byId(id).value = "";
  choose(undefined);
  if (there === undefined) await showLinks(row.station);
  else setText(byId("started"), `Station ${row.station} has its next lesson: ${row.title}. Its links and its tablet stay.`);
}

/** The lesson as the form has it, for a station or a new one. */
async function written(there) {
  const body = {};
  const file = byId("file").files[0];
  if (file) body.text = await file.text();
  else body.scenario = byId("lessons").querySelector("input:checked").value;
  const trainee = byId("trainee").value.trim();
  if (trainee || there !== undefined) body.trainee = trainee; // a name may be taken away
  if (byId("seed").value) body.seed = Number(byId("seed").value);
  if (there !== undefined) body.station = there.station;
  return body;
}

async function begin() {
  byId("start").onsubmit = start;
  byId("where").onchange = () => choose(Number(byId("where").value));
  setInterval(() => document.hidden || refresh(), EVERY_MS);
  await refresh();
  const answer = await asked("GET", "/api/scenarios");
  if (answer !== undefined) byId("lessons").replaceChildren(...answer.scenarios.map(madeLesson));
  const next = location.hash.match(NEXT);
  if (next !== null) showNext(Number(next[1]));
  performance.mark("ready"); // how long the page took to open
}

begin();
