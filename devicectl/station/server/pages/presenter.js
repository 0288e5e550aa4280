/* The presenter's page: the cycle in pictures, for a room that looks at a projector.
 *
 * Phases come with their times. The browser moves the needle array between them, a moment behind the lesson, so that
 * a punch of 80 ms is seen from its beginning although its news was under way.
 */

import { Announcer, LessonTime, byId, changed, el, keyed, minutes, onKeys, setAttribute, setText, showAlarms, showLink, stationNumber, svg } from "./common.js";
import { CellMap, Gauge } from "./drawings.js";
import { Pace } from "./pace.js";
import { Station } from "./socket.js";

const PHASES = { punch: "Punch", suction: "Suction", advance: "Advance", count: "Count" };
/** Behind the lesson by so much of the wall's time: what comes over a network is then on the page before it is due. */
const LAG_MS = 150;
/** Above this speed nobody can read a phase's words before the next one comes. */
const MAX_READABLE_SPEED = 0.1;
/** Nothing that is to be read changes sooner: a still picture where motion is reduced, and the words of a rest. */
const STILL_MS = 600;
/** Above this speed a stroke lies between two pictures of the screen. */
const MAX_MOVING_SPEED = 2;

const WIDTH = 960;
const SURFACE = 190;
const BODY_TOP = 10;
const BODY_BOTTOM = 115;
const NEEDLE_TOP = 20;
const DEPTH = 90;
const SHIFT = 26;
const OLD_CYCLES = 3;
const MIDDLE = { punch: 0.45, suction: 0.5, advance: 0.5, count: 0.5, none: 1 };

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** The needle array over the skin. `draw(phase, share)` moves it to a share of a phase. */
class ArrayDrawing {
  constructor(root) {
    this.skin = svg("g");
    this.holes = svg("g");
    this.needles = svg("g");
    this.cores = svg("g");
    this.sensor = svg("rect", { class: "sensor", y: 30, height: 18, rx: 4 });
    this.body = svg("rect", { class: "body", y: BODY_TOP, height: BODY_BOTTOM - BODY_TOP, rx: 14 });
    const layer = (y, height, name) => svg("rect", { class: name, x: -WIDTH, y, width: 3 * WIDTH, height });
    this.skin.append(layer(SURFACE, 16, "epidermis"), layer(SURFACE + 16, 134, "dermis"), layer(SURFACE + 150, 60, "fat"));
    const names = [["skin", SURFACE + 13], ["dermis", SURFACE + 84], ["fat", SURFACE + 186]];
    this.skin.append(...names.map(([name, y]) => svg("text", { x: 12, y, class: "layer-name" }, name)));
    this.drawing = svg("svg", { viewBox: `0 0 ${WIDTH} 400`, "aria-hidden": "true", class: "array" },
      this.skin, this.holes, this.needles, this.body, this.sensor, this.cores);
    root.append(this.drawing);
  }

  /** Draw the parts for so many needles; `outcomes` is what came in the last cycle, a word a needle. */
  fit(needles, outcomes) {
    const pitch = Math.min(120, 560 / needles);
    const first = WIDTH / 2 - (pitch * (needles - 1)) / 2;
    const each = Array.from({ length: needles }, (_, index) => ({ index, x: first + index * pitch, outcome: outcomes[index] }));
    const span = pitch * (needles - 1) + 130;
    for (const part of [this.body, this.sensor]) {
      setAttribute(part, "x", WIDTH / 2 - span / 2);
      setAttribute(part, "width", span);
    }
    keyed(this.needles, each, (needle) => needle.index, madeNeedle, ({ children }, { outcome }) =>
      setAttribute(children[0], "class", outcome === "clogged" ? "needle clogged" : "needle"));
    keyed(this.cores, each, (needle) => needle.index, ({ x }) =>
      svg("rect", { class: "core", x: x - 5, y: 0, width: 10, height: 34, rx: 4 }));
    const holes = each.flatMap(({ x, index }) => Array.from({ length: OLD_CYCLES + 1 }, (_, age) => ({ x, age, id: `${index}-${age}` })));
    keyed(this.holes, holes, (hole) => hole.id, ({ x, age }) =>
      svg("rect", { class: "hole", x: x - 7 - age * SHIFT, y: SURFACE, width: 14, height: DEPTH, rx: 5 }));
  }

  /** `ended` is the number of cycles that have left holes beside the array. */
  draw(phase, share, ended) {
    const out = phase === "punch" ? stroke(share) : 0;
    setAttribute(this.needles, "transform", `translate(0 ${(out * DEPTH).toFixed(1)})`);
    const moved = phase === "advance" ? share : phase === "count" || phase === "none" ? 1 : 0;
    setAttribute(this.holes, "transform", `translate(${(-moved * SHIFT).toFixed(1)} 0)`);
    const oldest = phase === "none" ? ended - 1 : Math.min(ended, moved > 0 ? OLD_CYCLES - 1 : OLD_CYCLES);
    for (const [key, hole] of this.holes.keyedNodes ?? []) {
      const age = Number(key.split("-")[1]);
      const cut = age > 0 || phase !== "punch" || share > 0.4;
      setAttribute(hole, "visibility", cut && age <= oldest ? "visible" : "hidden");
    }
    const y = coreTop(phase, share);
    setAttribute(this.cores, "visibility", y === undefined ? "hidden" : "visible");
    if (y !== undefined) setAttribute(this.cores, "transform", `translate(0 ${y.toFixed(1)})`);
    setAttribute(this.sensor, "class", phase === "count" ? "sensor sees" : "sensor");
  }
}

function madeNeedle({ x }) {
  return svg("g", {},
    svg("path", { class: "needle", d: `M${x - 9} ${NEEDLE_TOP}V${SURFACE - 12}L${x - 5} ${SURFACE}H${x + 5}L${x + 9} ${SURFACE - 12}V${NEEDLE_TOP}` }),
    svg("path", { class: "lumen", d: `M${x} ${NEEDLE_TOP}V${SURFACE - 2}` }));
}

/** How far out the needles are: 30 ms out, 10 ms at rest, 40 ms back. */
function stroke(share) {
  if (share < 0.375) return share / 0.375;
  return share < 0.5 ? 1 : 1 - (share - 0.5) / 0.5;
}

/** Where the cores are: cut in the punch, lifted by the suction, past the sensor in the count. */
function coreTop(phase, share) {
  const tip = SURFACE - 36;
  const inBody = 56;
  if (phase === "punch") return share < 0.4 ? undefined : tip + stroke(share) * DEPTH;
  if (phase === "suction") return tip - share * (tip - inBody);
  if (phase === "advance") return inBody;
  return phase === "count" ? inBody - share * 56 : undefined;
}

const number = stationNumber();
const time = new LessonTime();
const drawing = new ArrayDrawing(byId("array"));
const gauge = new Gauge(byId("vacuum"));
const map = new CellMap(byId("map"));
const announcer = new Announcer(byId("spoken"));
const refused = (words) => setText(byId("answer"), words);
const pace = new Pace(byId("pace"), number, refused);
keyed(byId("strip"), Object.entries(PHASES), ([phase]) => phase, ([, words]) => el("li", {}, words));

let view;
let shownMs = 0;
let framedMs = 0;
let pictureMs = 0;
let moving = false;
let fact = 0;

function show(next, patch) {
  const before = view;
  view = next;
  time.sync(view.clock);
  if (patch === undefined || view.clock.t_ms < (before?.clock.t_ms ?? 0)) shownMs = view.clock.t_ms;
  setText(byId("title"), view.title);
  document.title = `${view.title} - presenter - training simulator`;
  setText(byId("time"), minutes(view.clock.t_ms));
  setText(byId("state"), view.state.words);
  pace.show(view);
  showNumbers(view.counts);
  gauge.show(view.vacuum);
  if (changed(patch, "cells", "zones", "place")) map.show(view);
  if (changed(patch, "alarms")) showAlarms(byId("alarms"), view.alarms);
  if (changed(patch, "needles", "outcomes")) drawing.fit(view.needles, view.outcomes);
  setAttribute(byId("automatic"), "aria-pressed", String(view.automatic));
  showFact();
  tell(before);
  if (!moving) frame(performance.now());
}

function showNumbers({ cores, target, coverage_percent: coverage, cycles }) {
  setText(byId("cores"), cores.toLocaleString("en"));
  setText(byId("target"), target.toLocaleString("en"));
  setText(byId("coverage"), coverage === undefined ? "none yet" : `${coverage.toFixed(2)} %`);
  setText(byId("cycles"), cycles.toLocaleString("en"));
}

function showFact() {
  const { facts } = view;
  const { words, mark } = facts.length ? facts[fact % facts.length] : { words: "", mark: "background" };
  setText(byId("fact"), words);
  setText(byId("facts-title"), mark);
  setText(byId("fact-no"), facts.length ? `${(fact % facts.length) + 1} of ${facts.length}` : "none");
}

/** Say what the speaker, who faces the class, cannot see: a hold that came by itself, and alarms. */
function tell(before) {
  if (before === undefined) return;
  const known = new Set(before.alarms.map((alarm) => alarm.code));
  for (const alarm of view.alarms) if (!known.has(alarm.code)) announcer.say(alarm.label, `${alarm.priority} alarm: ${alarm.words}`);
  if (before.clock.running && !view.clock.running) announcer.say("clock", view.clock.ended ? "The lesson has ended." : "Held.");
}

/** One picture, and the next one as long as something moves. */
function frame(nowMs) {
  moving = false;
  const passedMs = Math.min(100, nowMs - framedMs);
  framedMs = nowMs;
  const { speed, running } = view.clock;
  const goalMs = running ? time.ms - LAG_MS * speed : view.clock.t_ms;
  const behindMs = goalMs - shownMs;
  if (behindMs > 1000 * speed) shownMs = goalMs; // the page was hidden meanwhile
  else shownMs += Math.max(0, Math.min(behindMs, passedMs * speed * 1.25));
  picture(nowMs);
  if (running || shownMs < view.clock.t_ms) {
    moving = true;
    requestAnimationFrame(frame);
  }
}

/** The phase at the shown moment, and the share of it that has passed; at rest, the time since it began. */
function phaseAt(ms) {
  const last = view.phases.findLast((one) => one.began_ms <= ms);
  if (last === undefined) return { phase: "none", share: 1, rests_ms: Infinity };
  const since = ms - last.began_ms;
  if (last.phase === "none") return { ...last, share: 1, rests_ms: since };
  if (last.phase === "count" && since > last.takes_ms) return { ...last, phase: "none", share: 1, rests_ms: since - last.takes_ms };
  return { ...last, share: last.takes_ms > 0 ? Math.min(1, since / last.takes_ms) : 1 };
}

function picture(nowMs) {
  const now = phaseAt(shownMs);
  const { speed, running } = view.clock;
  const rests = now.phase === "none" && now.rests_ms > STILL_MS * speed;
  const readable = !running || speed <= MAX_READABLE_SPEED || rests;
  const held = !running && shownMs >= view.clock.t_ms;
  if (still.matches && !readable && nowMs - pictureMs < STILL_MS) return;
  pictureMs = nowMs;
  const tooFast = running && speed > MAX_MOVING_SPEED && !rests;
  setAttribute(drawing.drawing, "class", tooFast ? "array fast" : "array");
  const drawn = tooFast ? "punch" : now.phase;
  drawing.draw(drawn, still.matches || tooFast ? MIDDLE[drawn] : now.share, Math.min(OLD_CYCLES, view.counts.cycles));
  [...byId("strip").children].forEach((item, index) => {
    setAttribute(item, "aria-current", Object.keys(PHASES)[index] === now.phase && readable && "step");
  });
  showCaption(now, readable, held);
}

function showCaption(now, readable, held) {
  const words = readable
    ? held || now.phase === view.caption.phase ? view.caption.words : `${PHASES[now.phase] ?? "Rest"}.`
    : "Punch, suction, advance, count: faster than words. Slow it down or step to see each phase.";
  const { t_ms: ms, running, ended } = view.clock;
  setText(byId("caption"), ms > 0 || running || ended ? words : "Press Run, or the space bar, to begin.");
  setText(byId("array-twin"), readable ? inWords(now) : `The array of ${view.needles} needles works without a pause.`);
}

function inWords({ phase, cycle_no: cycle }) {
  const needles = `${view.needles} hollow needles`;
  const depth = view.depth_um === undefined ? "" : ` ${(view.depth_um / 1000).toFixed(1)} mm deep`;
  const came = view.outcomes.filter((outcome) => outcome === "core").length;
  const last = view.outcomes.length ? ` In the last cycle ${came} of ${view.outcomes.length} needles brought a core.` : "";
  const doing = {
    none: `${needles} rest with their tips on the skin.`,
    punch: `Cycle ${cycle}: ${needles} go${depth} into the skin and back.`,
    suction: `Cycle ${cycle}: the needles are home, and suction lifts the cores through them.`,
    advance: `Cycle ${cycle}: the array moves on beside its last holes.`,
    count: `Cycle ${cycle}: the cores pass the count sensor.`,
  };
  return `${doing[phase]}${last}`;
}

const station = new Station("presenter", number, { shown: show, linked: showLink, refused });

function turnFacts(by) {
  fact = (fact + by + view.facts.length) % view.facts.length;
  showFact();
}

async function fullScreen() {
  if (document.fullscreenElement) await document.exitFullscreen();
  else await document.documentElement.requestFullscreen().catch((error) => refused(error.message));
}

pace.buttons.append(byId("automatic"), byId("full"));
byId("fact-before").onclick = () => turnFacts(-1);
byId("fact-after").onclick = () => turnFacts(1);
byId("automatic").onclick = () => station.do("automatic", { on: !view.automatic });
byId("full").onclick = fullScreen;

/** What was pressed by a pointer keeps no focus here: the space bar goes on to run and hold for a speaker at the wall. */
document.addEventListener("click", (event) => {
  if (event.detail > 0) event.target.closest("button, summary, input[type=checkbox]")?.blur();
});

onKeys({
  " ": () => pace.toggle(),
  ArrowRight: () => pace.step("phase"),
  ArrowDown: () => pace.step("cycle"),
  a: () => pace.step("alarm"),
  "+": () => pace.faster(1),
  "-": () => pace.faster(-1),
  f: fullScreen,
}, byId("keys"));
