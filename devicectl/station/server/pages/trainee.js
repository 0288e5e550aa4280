/* The trainee's page: the controller as its operator sees it.
 *
 * Law: the page shows the document that the station sends and knows nothing else. A control that is not possible says
 * why when it is pressed; what the device would refuse is sent, so that the device refuses it.
 */

import { Announcer, SIGNS, api, byId, el, keyed, minutes, onKeys, setAttribute, setText, showLink, stationNumber } from "./common.js";
import { CellMap, Gauge } from "./drawings.js";
import { Hold } from "./hold.js";
import { Station } from "./socket.js";
import { Sound } from "./sound.js";

const WORDS = { high: "High priority", medium: "Medium priority", low: "Low priority", info: "Information" };
const STATES = { active: "", acknowledged: "acknowledged", latched: "its cause is gone; it stays until a reset" };
const SOUND = { true: "The sound is on.", false: "The sound is off: turn it on at the task." };
const LET_GO = {
  lease: "The trigger was let go because this page did not answer for a second. Press again.",
  connection: "The trigger was let go because the connection was lost. Press again when it is back.",
  hidden: "The trigger was let go because this page was hidden. Press again.",
  focus: "The trigger was let go because this page, or the handpiece on it, has lost the focus. Press again.",
  pointer: "The trigger was let go because the pointer or the gamepad was lost. Press again.",
};
const PHASES = { punch: "Needles in the skin", suction: "Suction", advance: "Advance", count: "Count", none: "" };
const MAX_AGO_MIN = 1_440;

let view;
const shown = { alarms: new Map(), message: undefined, next: "", state: "", link: true, ended: false, sound: false };
const announcer = new Announcer(byId("live"));
const gauge = new Gauge(byId("vacuum"));
const map = new CellMap(byId("map"));

/* --- acts ------------------------------------------------------------------------------------------------------- */

function say(words, no = false) {
  setText(byId("said"), words);
  setAttribute(byId("said"), "title", words);
  byId("said").classList.toggle("no", no);
  if (words) announcer.say("answer", words);
}

async function act(name, args = {}) {
  const control = view?.controls[name];
  if (control?.enabled === false) {
    say(control.why, true);
    return;
  }
  say("");
  const { ok, words } = await station.act(name, args);
  if (!ok) say(words, true);
}

/** Stop is sent whatever the page believes: it is harmless twice. */
async function stop() {
  const answer = station.act("stop");
  hold.letGo("stop");
  const { ok, words } = await answer;
  say(ok ? "Stop was sent." : words, !ok);
}

const sound = new Sound((words, works) => {
  shown.sound = works;
  setText(byId("sound-words"), words);
  byId("sound-words").classList.toggle("refused", !works);
  announcer.say("sound", words);
});

/** The trigger is a hand on a switch: it is pressed whatever the page believes, and the controller says what it thinks. */
async function press() {
  say("");
  const { ok, words } = await station.act("trigger_press");
  if (!ok) say(words, true);
  return ok;
}

const hold = new Hold(byId("trigger"), byId("hand"), {
  press,
  renew: () => station.hold(),
  release: (why) => {
    station.act("trigger_release", { why });
    sayLetGo(why);
  },
});

/** Say why the trigger was let go, where it was not by the hand. */
function sayLetGo(why) {
  if (why in LET_GO) say(LET_GO[why], true);
}

/* --- what is shown ---------------------------------------------------------------------------------------------- */

function show(next) {
  const before = view;
  view = next;
  setText(byId("notice"), view.notice);
  setText(byId("title"), view.title);
  document.title = `${view.title} - trainee - training simulator`;
  setText(byId("prebrief"), view.prebrief);
  setText(byId("brief-close"), view.practice && !view.clock.running ? "I have read it: begin" : "I have read it");
  setText(byId("length"), `This lesson takes about ${view.minutes} minutes. ${heldInWords()}`);
  setText(byId("clock"), `${minutes(view.clock.t_ms)}${view.clock.running || view.clock.ended ? "" : " held"}`);
  setText(byId("next"), view.next.words);
  setText(byId("state"), view.state.words);
  showDeviceLink(true);
  if (hold.show(view.trigger)) sayLetGo(view.trigger.why);
  showCounts();
  gauge.show(view.vacuum);
  map.show(view);
  showHandpiece();
  showZones();
  showControls();
  showAlarms();
  showMessages();
  showEnd();
  announce();
  if (before !== undefined && isAnother(before)) showBrief(true);
}

/** True if the station was given another lesson, or this one begins again: its task is to be read. */
function isAnother(before) {
  const begins = view.clock.t_ms === 0 && before.clock.t_ms > 0;
  return begins || view.title !== before.title || view.prebrief !== before.prebrief;
}

/** Without a connection to the station, nobody knows how the handpiece is. */
function showDeviceLink(connected) {
  setText(byId("device-link"), connected ? view?.link.words : "How the handpiece is now is not known.");
  byId("device-link").classList.toggle("refused", !(connected && view?.link.up));
}

function heldInWords() {
  if (view.clock.running || view.clock.ended) return "";
  return view.practice ? "It waits for you to begin." : "It waits for the instructor to let it run.";
}

function showCounts() {
  const { cores, target, coverage_percent: coverage, cycles } = view.counts;
  setText(byId("cores"), cores);
  setText(byId("target"), target);
  setAttribute(byId("progress"), "max", target);
  setAttribute(byId("progress"), "value", Math.min(cores, target));
  setText(byId("coverage"), coverage === undefined ? "none yet" : `${coverage.toFixed(2)} %`);
  setText(byId("cycles"), cycles);
  setText(byId("phase"), PHASES[view.cycle.phase] && `Cycle ${view.cycle.cycle_no}: ${PHASES[view.cycle.phase]}`);
}

function showHandpiece() {
  const { cartridge, canister, temperature_c: celsius } = view;
  fact("cartridge", cartridge.cycles, (cycles) => `${cycles} of ${cartridge.life} cycles`, cartridge.cycles >= cartridge.warn);
  fact("canister", canister.percent, (percent) => `${percent.toFixed(1)} % full`, canister.percent >= canister.warn_percent);
  fact("temperature", celsius, (value) => `${value.toFixed(1)} °C`, false);
}

function fact(id, value, words, warned) {
  setText(byId(id), value === undefined ? "not known" : words(value) + (warned ? " (warning)" : ""));
  byId(id).classList.toggle("warned", warned);
}

function showZones() {
  keyed(byId("zones"), view.zones, (zone) => zone.zone, newZone, (row, zone) => {
    setText(row.querySelector(".zone-of"), `${zone.name}, ${zone.area_cm2} cm²`);
    setText(row.querySelector(".soft"), anesthesiaInWords(zone));
    nameNumb(row.querySelector("[data-act=anesthesia_start]"), zone);
  });
  keyed(byId("go-zone"), view.zones, (zone) => zone.zone, (zone) => el("option", { value: zone.zone }, zone.name));
}

function newZone(zone) {
  const button = (name, words, also = () => ({})) =>
    el("button", { type: "button", "data-act": name, "data-zone": zone.zone, "aria-label": `${words}: ${zone.name}`, onclick: () => act(name, { zone: zone.zone, ...also() }) }, words);
  const ago = el("input", { type: "number", min: 0, max: MAX_AGO_MIN, value: 0, inputmode: "numeric", "aria-label": `Numbed, minutes ago: ${zone.name}` });
  const numb = button("anesthesia_start", "Numb", () => ageToTell(zone.zone, ago));
  const buttons = el("div", { class: "row" }, numb, el("label", {}, ago, "min ago"), button("anesthesia_confirm", "Confirm"));
  return el("li", { class: "zone-row" }, el("span", { class: "zone-of" }), buttons, el("span", { class: "soft" }));
}

/** After a stop the handpiece knows of no zone any more; the controller still knows when each was numbed. */
function isForgotten(zone) {
  return zone.numbed_ms !== undefined && !zone.confirmed && zone.wait_until_ms === undefined;
}

/** What the person says counts, and where that is nothing, what the controller knows of a zone. */
function ageToTell(number, ago) {
  const said = Math.min(Math.max(0, Math.round(60 * Number(ago.value))), 60 * MAX_AGO_MIN);
  ago.value = 0;
  if (said > 0) return { age_s: said };
  const zone = view.zones.find((one) => one.zone === number);
  return isForgotten(zone) ? { age_s: Math.floor((view.clock.t_ms - zone.numbed_ms) / 1_000) } : {};
}

function nameNumb(button, zone) {
  const words = isForgotten(zone) ? "Tell again" : "Numb";
  setText(button, words);
  setAttribute(button, "aria-label", `${words}: ${zone.name}`);
}

function anesthesiaInWords(zone) {
  if (zone.numbed_ms === undefined) return zone.confirmed ? "Confirmed." : "Not numbed.";
  const ago = `Numbed ${minutes(view.clock.t_ms - zone.numbed_ms)} ago`;
  if (zone.confirmed) return `${ago}, confirmed.`;
  if (isForgotten(zone)) return `${ago}: the handpiece has to be told again.`;
  const left = zone.wait_until_ms - view.clock.t_ms;
  return left > 0 ? `${ago}: wait ${minutes(left + 999)} before you confirm.` : `${ago}: to be confirmed.`;
}

/** True for the button of the next thing to do; where that is about a zone, for the one of that zone. */
function isNext({ dataset }) {
  const { control, zone } = view.next;
  return dataset.act === control && (zone === undefined || dataset.zone === String(zone));
}

function showControls() {
  for (const button of document.querySelectorAll("[data-act]")) {
    const control = view.controls[button.dataset.act];
    setAttribute(button, "aria-disabled", control.enabled ? undefined : "true");
    setAttribute(button, "title", control.why);
    button.classList.toggle("first", isNext(button) && control.enabled);
  }
  setAttribute(byId("go-button"), "aria-disabled", view.controls.reposition.enabled ? undefined : "true");
  if (!hold.held) {
    setAttribute(byId("trigger"), "aria-disabled", view.controls.trigger_press.enabled ? undefined : "true");
  }
  setText(byId("trigger-words"), triggerInWords());
}

function triggerInWords() {
  if (!hold.held) return "Hold: trigger";
  return view.trigger.missed ? "Let go and press again" : "Held: let go to end";
}

function showAlarms() {
  const { alarms, sound: paused, clock } = view;
  keyed(byId("alarms"), alarms, (alarm) => alarm.code, newAlarm, (row, alarm) => {
    row.className = `alarm ${alarm.priority}${alarm.state === "active" ? "" : " quiet"}`;
    setText(row.querySelector(".what"), alarm.words);
    const how = [WORDS[alarm.priority], alarm.label, STATES[alarm.state], `since ${minutes(alarm.since_ms)}`];
    setText(row.querySelector(".how"), how.filter(Boolean).join(" · "));
  });
  const [first] = alarms;
  setText(byId("alarm-bar"), first ? `${SIGNS[first.priority]} ${first.words}${alarms.length > 1 ? ` (${alarms.length} alarms)` : ""}` : "No alarm");
  setAttribute(byId("alarm-bar"), "class", `alarm-bar ${first ? first.priority : "none"}`);
  const left = (paused.paused_until_ms ?? 0) - clock.t_ms;
  setText(byId("sound-state"), left > 0 ? `The sound is paused for ${minutes(left + 999)}. A new alarm sounds all the same.` : SOUND[shown.sound]);
  sound.show(alarms.filter((alarm) => alarm.sounds));
}

function newAlarm(alarm) {
  return el("li", {}, el("span", { class: "sign", "aria-hidden": "true" }, SIGNS[alarm.priority]), el("span", { class: "what" }), el("span", { class: "how" }));
}

function showMessages() {
  const newest = view.messages.toReversed();
  byId("no-message").hidden = newest.length > 0;
  keyed(byId("messages"), newest, (message) => message.no, (message) =>
    el("li", { class: `message ${message.kind}` }, el("time", {}, minutes(message.at_ms)), el("span", { class: "what" }, message.words)));
}

function showEnd() {
  const ended = view.end !== undefined;
  byId("end").hidden = !ended;
  setText(byId("end-words"), view.end?.words);
  if (ended && !shown.ended) byId("end-title").focus();
  shown.ended = ended;
}

/** Say what is new, each thing once. */
function announce() {
  const newest = view.messages.at(-1)?.no ?? 0;
  if (shown.message === undefined || newest < shown.message) shown.message = newest; // the page is new, or the lesson was set back
  for (const alarm of view.alarms) {
    const key = `${alarm.state} ${alarm.since_ms}`;
    if (shown.alarms.get(alarm.code) !== key && alarm.state === "active") announcer.say(`alarm ${alarm.code}`, `Alarm, ${WORDS[alarm.priority]}: ${alarm.words}`);
    shown.alarms.set(alarm.code, key);
  }
  for (const { no, kind, words } of view.messages) {
    if (no <= shown.message) continue;
    shown.message = no;
    if (kind === "refusal") say(words, true);
    else if (kind === "note") announcer.say("note", words);
  }
  if (view.next.words !== shown.next) announcer.say("next", view.next.words);
  if (view.link.up !== shown.link) announcer.say("link", view.link.words);
  shown.next = view.next.words;
  shown.link = view.link.up;
}

/* --- what is heard ---------------------------------------------------------------------------------------------- */

function pressed(button) {
  if (button.dataset.act === "acknowledge") act("acknowledge", { code: 0 });
  else act(button.dataset.act);
}

for (const button of document.querySelectorAll("[data-act]")) button.addEventListener("click", () => pressed(button));
byId("stop").addEventListener("click", stop);
byId("go").addEventListener("submit", (event) => {
  event.preventDefault();
  act("reposition", { zone: Number(byId("go-zone").value), cell: Number(byId("go-cell").value) - 1 }); // people count from 1
});
byId("hand").addEventListener("pointerdown", (event) => {
  if (event.target === byId("hand")) byId("hand").focus();
});

function showBrief(open) {
  byId("brief").hidden = !open;
  byId("brief-open").hidden = open;
  byId(open ? "brief-title" : "trigger").focus({ preventScroll: true });
  window.scrollTo(0, 0); // to the task, or to what is to be done next: the trigger is seen wherever the page is
}

byId("brief-close").addEventListener("click", async () => {
  showBrief(false);
  if (!view?.practice || view.clock.running) return;
  try {
    await api("POST", `/api/stations/${stationNumber()}/pace`, { running: true });
  } catch (error) {
    say(error.message, true);
  }
});
byId("brief-open").addEventListener("click", () => showBrief(true));
byId("sound-test").addEventListener("click", () => sound.test());

const withKey = [...document.querySelectorAll("[data-key]")].map((button) => [button.dataset.key, () => pressed(button)]);
onKeys({ ".": stop, ...Object.fromEntries(withKey) }, byId("keys"));
const showKeys = () => (byId("stop-key").hidden = !byId("keys").checked);
byId("keys").addEventListener("change", showKeys);
showKeys();

const station = new Station("trainee", stationNumber(), {
  shown: show,
  linked: (up, words) => {
    showLink(up, words);
    showDeviceLink(up);
    if (up) return;
    if (hold.drop()) sayLetGo("connection"); // a closed socket has released it at the station
    announcer.say("connection", words);
  },
});
