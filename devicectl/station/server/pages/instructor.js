/* The instructor's page of one station: what the trainee sees beside what is so, the script, faults, checks, moments. */

import { Announcer, LessonTime, api, byId, changed, el, keyed, minutes, setAttribute, setText, showAlarms, showLink, stationNumber } from "./common.js";
import { Gauge } from "./drawings.js";
import { Pace } from "./pace.js";
import { Station } from "./socket.js";

const number = stationNumber();
const path = `/api/stations/${number}`;
const UNITS = { kpa: "kPa", c: "°C", ml: "mL", percent: "%", um: "µm", ms: "ms", s: "s", ul: "µL" };
const TARGETS = { wire: "The wire", device: "The device", memory: "Its memory", host: "The controller", broker: "The broker" };
const CHECK_SIGNS = { open: "○ open", passed: "✓ passed", failed: "✕ failed", not_judged: "– not judged" };
const HANDS = { arm: "Arm", disarm: "Disarm", trigger_press: "Press the trigger", trigger_release: "Release it", reposition: "Next cell", purge: "Purge", pause: "Pause", resume: "Resume", reset: "Reset", acknowledge: "Acknowledge all alarms", close: "Close the session" };
const ACKNOWLEDGE_ALL = { code: 0 };
const SHOWN_MESSAGES = 4;

const announcer = new Announcer(byId("spoken"));
const refused = (words) => setText(byId("answer"), words);
const pace = new Pace(byId("pace"), number, refused);
const gauge = new Gauge(byId("vacuum"));
const time = new LessonTime();
let view;
let kinds = [];

function show(next, patch) {
  const before = view;
  view = next;
  time.sync(view.clock);
  pace.show(view);
  setText(byId("time"), minutes(view.clock.t_ms));
  showAttempt();
  setAttribute(byId("automatic"), "aria-pressed", String(view.automatic));
  if (changed(patch, "trainee")) showTrainee(view.trainee);
  if (changed(patch, "truth")) showFacts(byId("truth"), Object.entries(view.truth).map(named));
  if (changed(patch, "faults")) keyed(byId("faults"), view.faults, (fault) => fault.index, madeFault, updateFault);
  showRail();
  if (changed(patch, "checks")) showChecks();
  if (changed(patch, "journal")) showLines(byId("journal"), view.journal);
  if (changed(patch, "log")) showLines(byId("log"), view.log);
  if (changed(patch, "timeline", "notes", "bookmarks")) showMoments();
  showSlider();
  if (before !== undefined) tell(before);
}

/** Each attempt is a lesson of its own in the log. */
function showAttempt() {
  setText(byId("attempt"), `kept as lesson ${view.lesson}`);
  setAttribute(byId("to-debrief"), "href", `/debrief/${view.lesson}`);
}

// --- what the trainee sees, and what is so ---------------------------------------------------------------------

function showTrainee(trainee) {
  const { counts, state, link, trigger, next, cartridge, canister, alarms, vacuum, messages, controls } = trainee;
  setText(byId("next"), `Told to do next: ${next.words}`);
  showAlarms(byId("alarms"), alarms);
  gauge.show(vacuum);
  showFacts(byId("trainee"), [
    ["state", state.words],
    ["link", link.words],
    ["trigger", trigger.held ? "held" : "free"],
    ["cores counted", `${counts.cores} of ${counts.target}`],
    ["cycles", counts.cycles],
    ["coverage", counts.coverage_percent === undefined ? "none yet" : `${counts.coverage_percent.toFixed(2)} %`],
    ["cartridge", cartridge.cycles === undefined ? "not known" : `${cartridge.cycles} of ${cartridge.life} cycles`],
    ["canister", canister.percent === undefined ? "not known" : `${Math.round(canister.percent)} % full`],
  ]);
  keyed(byId("messages"), messages.slice(-SHOWN_MESSAGES), (message) => message.no,
    (message) => el("li", {}, el("span", { class: "soft" }, `${minutes(message.at_ms)} `), message.words));
  keyed(byId("hands"), Object.keys(HANDS).filter((name) => name in controls), (name) => name, madeHand, (button, name) => {
    setAttribute(button, "aria-disabled", controls[name].enabled ? undefined : "true");
    setAttribute(button, "title", controls[name].why);
  });
}

function madeHand(name) {
  const args = name === "acknowledge" ? ACKNOWLEDGE_ALL : name === "trigger_release" ? { why: "let_go" } : {};
  return el("button", { type: "button", onclick: () => station.do(name, args) }, HANDS[name]);
}

function showFacts(list, facts) {
  keyed(list, facts, ([name]) => name, ([name]) => el("div", {}, el("dt", {}, name), el("dd")),
    (pair, [, words]) => setText(pair.lastChild, words));
}

/** A name in words without the unit at its end, which is written behind the value. */
const nameInWords = (name, unit) => (unit && name.endsWith(`_${unit}`) ? name.slice(0, -unit.length - 1) : name).replaceAll("_", " ");

/** One value of the truth for people: pressure_kpa is pressure, in kPa. */
function named([name, value]) {
  const suffix = name.split("_").at(-1);
  const shown = typeof value === "number" && !Number.isInteger(value) ? value.toFixed(2) : String(value);
  return [nameInWords(name, suffix in UNITS && suffix), `${shown} ${UNITS[suffix] ?? ""}`.trim()];
}

// --- faults ----------------------------------------------------------------------------------------------------

function madeFault(fault) {
  const withdraw = () => station.do("withdraw", { fault: fault.index });
  const button = el("button", { type: "button", "aria-label": `Withdraw: ${fault.words}`, onclick: withdraw }, "Withdraw");
  return el("li", { class: "row entry" }, el("span", { class: "grow" }, fault.words), el("span", { class: "soft" }), button);
}

function updateFault(item, { state, since_ms: since }) {
  setText(item.children[1], since === undefined ? state : `${state} since ${minutes(since)}`);
  item.children[2].hidden = state === "over" || state === "withdrawn";
}

async function loadCatalogue() {
  kinds = (await api("GET", "/api/catalogue")).faults;
  const groups = Object.entries(TARGETS).map(([target, label]) => el("optgroup", { label },
    ...kinds.filter((kind) => kind.target === target).map((kind) => el("option", { value: kind.fault }, kind.fault.replaceAll("_", " ")))));
  byId("kind").append(...groups);
  byId("kind").onchange = showKind;
  showKind();
}

const chosenKind = () => kinds.find((kind) => kind.fault === byId("kind").value);

function showKind() {
  const kind = chosenKind();
  setText(byId("kind-words"), kind.sentence);
  byId("quantities").replaceChildren(...kind.quantities.map(madeQuantity));
}

function madeQuantity({ name, unit, least, most, usual, help, words, whole }) {
  const id = `quantity-${name}`;
  const field = words.length
    ? el("select", { id, name }, ...words.map((word) => el("option", { value: word, selected: word === usual }, word)))
    : el("input", { id, name, type: "number", min: least, max: most, step: whole ? 1 : "any", value: usual, required: true });
  const range = words.length ? "" : ` (${least.toLocaleString("en")} to ${most.toLocaleString("en")}${unit ? ` ${unit}` : ""})`;
  return el("div", { class: "quantity" }, el("label", { for: id }, nameInWords(name, unit)), field, el("p", { class: "soft" }, help + range));
}

async function inject(event) {
  event.preventDefault();
  const fault = { fault: chosenKind().fault };
  for (const field of byId("quantities").querySelectorAll("input, select")) {
    fault[field.name] = field.type === "number" ? field.valueAsNumber : field.value;
  }
  await station.do("inject", { fault });
}

// --- script and checks -----------------------------------------------------------------------------------------

function showRail() {
  byId("rail-empty").hidden = view.rail.length > 0;
  keyed(byId("rail"), view.rail, (item) => item.item, madeItem, updateItem);
}

function madeItem({ item, words }) {
  const buttons = ["Fire now", "Skip"].map((label) => {
    const name = label === "Skip" ? "skip" : "fire";
    return el("button", { type: "button", "aria-label": `${label}: ${words}`, onclick: () => station.do(name, { item }) }, label);
  });
  return el("li", { class: "row entry" }, el("span", { class: "grow" }, words), el("span", { class: "state" }), el("span", { class: "row" }, ...buttons));
}

function updateItem(node, { state, due_ms: due }) {
  const countdown = due === undefined ? "" : ` in ${minutes(Math.max(0, due - view.clock.t_ms))}`;
  setText(node.children[1], state === "due" ? `due${countdown}` : state);
  node.children[2].hidden = state === "fired" || state === "skipped";
}

function showChecks() {
  byId("checks-empty").hidden = view.checks.length > 0;
  keyed(byId("checks"), view.checks, (check) => check.check, madeCheck, updateCheck);
}

function madeCheck({ check, words, critical }) {
  return el("li", { class: "row entry" },
    el("span", { class: "grow" }, words, critical ? el("b", {}, " critical") : ""),
    el("span", { class: "state" }),
    el("button", { type: "button", "aria-label": `Override: ${words}`, onclick: () => askOverride(check, words) }, "Override"));
}

function updateCheck(node, { state, at_ms: at, within_ms: within, overridden }) {
  const when = at !== undefined ? ` at ${minutes(at)}` : within !== undefined && state === "open" ? `, within ${within / 1000} s` : "";
  const over = overridden === undefined ? "" : `; overridden: ${overridden.passed ? "passed" : "failed"}, ${overridden.reason}`;
  setAttribute(node, "class", `row entry check-${state}`);
  setText(node.children[1], `${CHECK_SIGNS[state]}${when}${over}`);
}

/** Ask for a judgement; where it was not taken, as while the connection is lost, again, with the reason that was given. */
function askOverride(check, words) {
  const dialog = byId("override");
  const ask = (refusal) => {
    setText(byId("override-refused"), refusal);
    dialog.returnValue = "";
    dialog.showModal();
  };
  dialog.onclose = async () => {
    if (dialog.returnValue !== "override") return;
    const passed = dialog.querySelector("input:checked").value === "yes";
    const answer = await station.act("override", { check, passed, reason: byId("reason").value.trim() });
    if (!answer.ok && !dialog.open) ask(answer.words);
  };
  setText(byId("override-check"), words);
  byId("reason").value = "";
  ask("");
}

// --- moments ---------------------------------------------------------------------------------------------------

/** Lines with their times, newest first. Equal lines are told apart by their count. */
function showLines(list, lines, make = madeLine) {
  const seen = new Map();
  const counted = lines.map((line) => {
    const text = `${line.at_ms} ${line.lane ?? ""} ${line.words}`;
    seen.set(text, (seen.get(text) ?? 0) + 1);
    return { ...line, key: `${text} ${seen.get(text)}` };
  });
  keyed(list, counted.reverse(), (line) => line.key, make);
}

function madeLine({ at_ms: at, words }) {
  return el("li", {}, el("span", { class: "soft" }, `${minutes(at)} `), words);
}

function showMoments() {
  const marks = (lane, lines) => lines.map((line) => ({ ...line, lane }));
  const all = [...view.timeline, ...marks("note", view.notes), ...marks("bookmark", view.bookmarks)];
  showLines(byId("timeline"), all.sort((one, other) => one.at_ms - other.at_ms), madeMoment);
}

function madeMoment({ at_ms: at, lane, words }) {
  return el("li", { class: "row moment" },
    el("button", { type: "button", onclick: () => goBack(at), "aria-label": `Go back to ${minutes(at)}` }, minutes(at)),
    el("span", { class: `lane lane-${lane}` }, lane), el("span", { class: "grow" }, words));
}

/** The slider follows the lesson until somebody moves it. */
function showSlider() {
  const slider = byId("moment-ms");
  const followed = Number(slider.max) - Number(slider.value) < Number(slider.step);
  slider.max = String(view.clock.t_ms);
  if (followed && document.activeElement !== slider) slider.value = slider.max;
  showMoment();
}

function showMoment() {
  const words = minutes(Number(byId("moment-ms").value));
  setText(byId("moment"), words);
  setAttribute(byId("moment-ms"), "aria-valuetext", words);
}

async function goBack(to) {
  await asked("rewind", { to_ms: Math.max(0, Math.round(to)) });
}

/** Ask for another attempt. It is executed from the beginning, and the station sends nothing meanwhile. */
async function asked(what, body) {
  setText(byId("attempt"), "the lesson is executed again…");
  try {
    await api("POST", `${path}/${what}`, body);
    refused("");
  } catch (error) {
    refused(error.message);
  }
  showAttempt();
}

async function note(event) {
  event.preventDefault();
  const done = await station.do(event.submitter.value, { text: byId("words").value.trim() });
  if (done) byId("words").value = "";
}

// --- announcements ---------------------------------------------------------------------------------------------

function tell(before) {
  const known = new Set(before.trainee.alarms.map((alarm) => alarm.code));
  for (const alarm of view.trainee.alarms) if (!known.has(alarm.code)) announcer.say(alarm.label, `${alarm.priority} alarm: ${alarm.words}`);
  const states = new Map([...before.rail.map((item) => [`rail ${item.item}`, item.state]), ...before.checks.map((check) => [`check ${check.check}`, check.state])]);
  for (const item of view.rail) if (item.state !== states.get(`rail ${item.item}`)) announcer.say(`rail ${item.item}`, `${item.words}: ${item.state}`);
  for (const check of view.checks) {
    if (check.state !== states.get(`check ${check.check}`)) announcer.say(`check ${check.check}`, `${check.words}: ${CHECK_SIGNS[check.state].slice(2)}`);
  }
  if (before.clock.running && !view.clock.running) announcer.say("clock", view.clock.ended ? "The lesson has ended." : "Held.");
}

const station = new Station("instructor", number, { shown: show, linked: showLink, refused });

byId("to-presenter").href = `/presenter/${number}`;
byId("save").href = `${path}/moment`;
byId("save").download = `station-${number}-moment.yaml`;
byId("stop").onclick = () => station.do("stop");
byId("automatic").onclick = () => station.do("automatic", { on: !view.automatic });
byId("reset").onclick = () => confirm("Begin the lesson again? This attempt is kept.") && asked("reset", {});
byId("inject").onsubmit = inject;
byId("noting").onsubmit = note;
byId("moment-ms").oninput = showMoment;
byId("go-back").onsubmit = (event) => {
  event.preventDefault();
  goBack(Number(byId("moment-ms").value));
};
loadCatalogue().catch((error) => refused(error.message));

/** What is in the roster and in no view. */
async function showRow() {
  const { title, trainee } = await api("GET", path);
  setText(byId("title"), `${number}: ${title}`);
  document.title = `${number}: ${title} - instructor - training simulator`;
  setText(byId("name"), trainee || "no name");
}

showRow().catch((error) => refused(error.message));
