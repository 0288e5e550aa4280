/* The instructor's page of one station: what the trainee sees beside what is so, the script, faults, checks, moments. */

import { Announcer, LessonTime, api, byId, changed, el, keyed, minutes, setAttribute, setText, showAlarms, showLink, stationNumber } from "./common.js";
import { Gauge } from "./drawings.js";
import { Hold } from "./hold.js";
import { Pace } from "./pace.js";
import { Station } from "./socket.js";

const number = stationNumber();
const path = `/api/stations/${number}`;
const UNITS = { kpa: "kPa", c: "°C", ml: "mL", percent: "%", um: "µm", ms: "ms", s: "s", ul: "µL" };
const TARGETS = { wire: "the wire", device: "the device", memory: "its memory", host: "the controller", broker: "the broker" };
const CHECK_SIGNS = { open: "○ open", passed: "✓ passed", failed: "✕ failed", not_judged: "– not judged" };
const HANDS = { arm: "Arm", disarm: "Disarm", trigger_press: "Hold the trigger", trigger_release: "Release it", reposition: "Next cell", purge: "Purge", pause: "Pause", resume: "Resume", reset: "Reset", acknowledge: "Acknowledge all alarms", close: "Close the session" };
const ACKNOWLEDGE_ALL = { code: 0 };
const SHOWN_MESSAGES = 4;

const announcer = new Announcer(byId("spoken"));
const refused = (words) => setText(byId("answer"), words);
const pace = new Pace(byId("pace"), number, refused);
const gauge = new Gauge(byId("vacuum"));
const time = new LessonTime();
let view;
let hold;
let kinds = [];
let kindsShown;

function show(next, patch) {
  const before = view;
  view = next;
  time.sync(view.clock);
  pace.show(view);
  setText(byId("trouble"), view.trouble ?? "");
  setText(byId("time"), minutes(view.clock.t_ms));
  showAttempt();
  if (before !== undefined && before.lesson !== view.lesson) showRow();
  setText(byId("host"), view.host ?? "");
  setAttribute(byId("automatic"), "aria-pressed", String(view.automatic));
  if (changed(patch, "trainee")) showTrainee(view.trainee);
  if (changed(patch, "truth")) showFacts(byId("truth"), Object.entries(view.truth).map(named));
  if (changed(patch, "impossible")) showKinds();
  if (changed(patch, "faults")) keyed(byId("faults"), view.faults, (fault) => fault.index, madeFault, updateFault);
  showRail();
  if (changed(patch, "checks")) showChecks();
  if (changed(patch, "journal")) showLines(byId("journal"), view.journal);
  if (changed(patch, "log")) showLines(byId("log"), view.log);
  if (changed(patch, "timeline", "notes", "bookmarks")) showMoments();
  showSlider();
  if (before !== undefined) tell(before);
}

/** Each attempt is a lesson of its own in the log, and may be another lesson with another trainee. */
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
    ["coverage of begun cells", counts.coverage_percent === undefined ? "none yet" : `${counts.coverage_percent.toFixed(2)} %`],
    ["cartridge", cartridge.cycles === undefined ? "not known" : `${cartridge.cycles} of ${cartridge.life} cycles`],
    ["canister", canister.percent === undefined ? "not known" : `${Math.round(canister.percent)} % full`],
  ]);
  keyed(byId("messages"), messages.slice(-SHOWN_MESSAGES), (message) => message.no,
    (message) => el("li", {}, el("span", { class: "soft" }, `${minutes(message.at_ms)} `), message.words));
  hold?.show(trigger.held);
  keyed(byId("hands"), Object.keys(HANDS).filter((name) => name in controls), (name) => name, madeHand, (button, name) => {
    setAttribute(button, "aria-disabled", controls[name].enabled ? undefined : "true");
    setAttribute(button, "title", controls[name].why);
  });
}

function madeHand(name) {
  if (name === "trigger_press") return madeTrigger();
  const args = name === "acknowledge" ? ACKNOWLEDGE_ALL : name === "trigger_release" ? { why: "let_go" } : {};
  return el("button", { type: "button", onclick: () => station.do(name, args) }, HANDS[name]);
}

/** The trigger is held here as by the trainee: the station lets it go when nobody renews it. */
function madeTrigger() {
  const button = el("button", { type: "button", "aria-pressed": "false" }, HANDS.trigger_press);
  hold = new Hold(button, byId("hands"), {
    gamepads: false,
    press: () => station.do("trigger_press"),
    renew: () => station.hold(),
    release: (why) => station.do("trigger_release", { why }),
  });
  return button;
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
  byId("kind").onchange = showKind;
  showKinds();
}

/** The faults that can be in this lesson: first those that a trainer brings in, with plain words, then all others. */
function showKinds() {
  if (view === undefined || kinds.length === 0) return;
  const possible = kinds.filter((kind) => !view.impossible.includes(kind.fault));
  const told = possible.map((kind) => kind.fault).join();
  if (told === kindsShown) return;
  kindsShown = told;
  const others = possible.filter((kind) => !kind.words);
  byId("kind").replaceChildren(
    madeGroup("For trainers", possible.filter((kind) => kind.words)),
    ...Object.entries(TARGETS).map(([target, words]) => madeGroup(`For engineers: ${words}`, others.filter((kind) => kind.target === target))));
  showKind();
}

function madeGroup(label, some) {
  const named = some.map(({ fault, words }) => el("option", { value: fault }, words ? `${words} (${inWords(fault)})` : inWords(fault)));
  return named.length ? el("optgroup", { label }, ...named) : "";
}

const inWords = (fault) => fault.replaceAll("_", " ");

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
  const twice = view.faults.some((one) => one.fault === fault.fault && ["waiting", "acting"].includes(one.state));
  if (await station.do("inject", { fault }) && twice) refused(`This lesson has ${inWords(fault.fault)} twice now: withdraw one if that was not meant.`);
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

/** The verdict that counts comes first, and has the color: the instructor's, where there is one. */
function updateCheck(node, check) {
  const { state, overridden } = check;
  const verdict = overridden === undefined ? state : overridden.passed ? "passed" : "failed";
  const own = `${CHECK_SIGNS[state]}${timeOf(check)}`;
  setAttribute(node, "class", `row entry check-${verdict}`);
  setText(node.children[1], overridden === undefined ? own : `${CHECK_SIGNS[verdict]}, overridden: ${overridden.reason} (by itself: ${own})`);
}

function timeOf({ state, at_ms: at, within_ms: within, waits_for: waits, due_ms: due }) {
  if (at !== undefined) return ` at ${minutes(at)}`;
  if (waits !== undefined) return `: waits for ${waits}${within === undefined ? "" : `; then ${within / 1000} s`}`;
  return state === "open" && due !== undefined ? ` until ${minutes(due)}` : "";
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
    el("button", { type: "button", onclick: () => choose(at), "aria-label": `Choose ${minutes(at)}` }, minutes(at)),
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

/** Choose a moment; only "Go back there" goes back. */
function choose(at) {
  byId("moment-ms").value = String(Math.max(0, at));
  showMoment();
}

async function goBack() {
  const { value, step } = byId("moment-ms");
  if (view.clock.t_ms - Number(value) < Number(step)) refused("The lesson is at that moment: choose an earlier one.");
  else await asked("rewind", { to_ms: Number(value) });
}

/** Ask for another attempt. It is executed from the beginning, and the station sends nothing meanwhile. */
async function asked(what, body) {
  const { lesson } = view;
  setText(byId("attempt"), "the lesson is executed again…");
  try {
    await api("POST", `${path}/${what}`, body);
    refused("");
    byId("earlier").replaceChildren(`The earlier try is kept as lesson ${lesson}: `, el("a", { href: `/debrief/${lesson}` }, "its debrief"));
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

const UNKNOWN = { words: "not known: there is no connection to the station" };

const station = new Station("instructor", number, {
  shown: show,
  linked(up, words) {
    showLink(up, words);
    if (!up) hold?.drop(); // a closed socket has released it at the station
    if (view !== undefined) showTrainee(up ? view.trainee : { ...view.trainee, state: UNKNOWN, link: UNKNOWN });
  },
  refused,
});

byId("to-next").href = `/#next-${number}`;
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
  goBack();
};
loadCatalogue().catch((error) => refused(error.message));

/** What is in the roster and in no view. */
async function showRow() {
  let row;
  try {
    row = await api("GET", path);
  } catch (error) {
    refused(error.message);
    return;
  }
  const { title, trainee } = row;
  setText(byId("title"), `${number}: ${title}`);
  document.title = `${number}: ${title} - instructor - training simulator`;
  setText(byId("name"), trainee || "no name");
}

showRow();
