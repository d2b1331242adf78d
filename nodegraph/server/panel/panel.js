// The performer's panel.

import { control, make } from "./controls.js";
import { Learning } from "./learn.js";
import { decibels, shown } from "./scale.js";
import { Wire, addLine, ownName, showState, text } from "./wire.js";

const at = (id) => document.getElementById(id);
const FLOOR_DB = -60;
const HOLD_MS = 1500;

let shownBy = new Map(); // address -> controls
let outlets = new Map(); // address -> controls
let structure = "";
let playing = false;
let clockOn = false;
let meter = 4;

const wire = new Wire({
  name: ownName("panel"),
  topics: ["values", "events", "changed", "opened", "playing", "log", "presets", "saved", "follows", "learned", "meters", "status"],
  periods: { meters: 0.05, status: 1 },
  onState: (state, words) => showState(at("connection"), state, words),
  onOpen: open,
});
wire.onProblem = (problems) => addLine(at("log"), { text: text(problems), bad: true });
const learning = new Learning(wire, at("learn"), at("learn-words"), at("controls"));

async function open(hello) {
  showPlaying(hello.playing);
  await load();
  const { lines } = await wire.ask("log", { most: 50 });
  at("log").replaceChildren();
  lines.forEach((line) => addLine(at("log"), line));
  await loadPresets();
  await learning.load();
}

async function load() {
  const panel = await wire.ask("panel");
  document.title = panel.title || "nodegraph";
  at("title").textContent = panel.title || "untitled";
  at("about").textContent = panel.about;
  at("about-box").hidden = !panel.about;
  const found = JSON.stringify(panel.items.map((item) => [item.kind, item.address, item.label, item.span, item.y?.address]));
  if (found !== structure) build(panel);
  structure = found;
  for (const item of panel.items) {
    show(item.address, item.value);
    if (item.y) show(item.y.address, item.y.value);
  }
}

function build(panel) {
  shownBy = new Map();
  outlets = new Map();
  const groups = new Map();
  for (const item of panel.items) {
    const made = control(item, (address, value) => wire.set(address, value));
    if (!made) continue;
    if (!groups.has(item.group)) groups.set(item.group, []);
    groups.get(item.group).push(made.element);
    for (const address of made.addresses) shownBy.set(address, [...(shownBy.get(address) ?? []), made]);
    if (made.outlet) outlets.set(made.outlet, [...(outlets.get(made.outlet) ?? []), made]);
  }
  const sections = [...groups].map(([name, elements], index) => {
    const grid = make("div", { class: "grid" }, ...elements);
    if (!name) return make("section", { class: "group", "aria-label": "Controls" }, grid);
    const id = `group-${index}`;
    return make("section", { class: "group", "aria-labelledby": id }, make("h2", { id }, name), grid);
  });
  at("controls").className = panel.marked ? "" : "by-node";
  at("controls").replaceChildren(...sections);
  learning.draw();
  const notes = [];
  if (panel.left) notes.push(`${panel.left} more controls are not shown: mark those that matter.`);
  if (panel.missing.length) notes.push(`The panel of this patch names what it does not have: ${panel.missing.join(", ")}.`);
  at("note").textContent = notes.join(" ");
  at("note").hidden = !notes.length;
}

function show(address, value) {
  if (typeof value !== "number") return;
  for (const made of shownBy.get(address) ?? []) made.show(address, value);
}

// -- news

wire.on("values", ({ values }) => Object.entries(values).forEach(([address, value]) => show(address, value)));
wire.on("events", ({ events }) => {
  for (const [address, , message] of events) for (const made of outlets.get(address) ?? []) made.hear(message);
});

let due = 0;
const loadSoon = () => {
  clearTimeout(due);
  due = setTimeout(() => load().catch(wire.onProblem), 60);
};
wire.on("changed", loadSoon);
wire.on("opened", loadSoon);
wire.on("log", (line) => addLine(at("log"), line));
wire.on("saved", ({ path }) => addLine(at("log"), { text: `saved as ${path}` }));
wire.on("presets", loadPresets);
wire.on("playing", ({ playing: plays, error }) => {
  showPlaying(plays);
  if (error) wire.onProblem(error);
});
wire.on("status", (status) => {
  at("xruns").textContent = status.playing ? status.xruns : "–";
  at("xruns").classList.toggle("bad", Boolean(status.xruns));
  at("late").textContent = status.playing ? status.late : "–";
  showPlaying(status.playing);
  if (document.activeElement !== at("follow")) followed(status.follows);
});
wire.on("meters", (data) => {
  showPlaying(data.playing);
  if (!data.playing) return;
  at("load").textContent = `${Math.round(100 * data.load)} %`;
  at("load").classList.toggle("bad", data.load > 0.8);
  drawMeters(data.outputs);
  const whole = Math.floor(data.time);
  at("time").textContent = `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  showClock(data.clock);
});

function showPlaying(on) {
  if (playing === on && at("sound").dataset.known) return;
  playing = on;
  at("sound").dataset.known = "yes";
  at("sound").setAttribute("aria-pressed", on);
  at("sound").textContent = on ? "■ Stop" : "▶ Play";
  at("clock").disabled = !on;
  if (!on) drawMeters([]);
}

function showClock(clock) {
  if (!clock) return;
  clockOn = clock.on;
  meter = clock.meter;
  at("clock").setAttribute("aria-pressed", clock.on);
  at("clock").textContent = clock.on ? "❚❚ Clock" : "▶ Clock";
  const tempo = at("tempo");
  if (document.activeElement !== tempo) tempo.value = shown(Math.round(10 * clock.tempo) / 10);
  at("position").textContent = `${Math.floor(clock.beat / meter) + 1} : ${Math.floor(clock.beat % meter) + 1}`;
}

const followed = (source) => (at("follow").value = source ?? "");
at("follow").addEventListener("change", () => {
  const source = at("follow").value || null;
  wire.ask("follow", { source }).catch((problems) => {
    wire.onProblem(problems);
    wire.ask("status").then((status) => followed(status.follows), wire.onProblem);
  });
});
wire.on("follows", ({ source }) => followed(source));

// -- meters

const bars = [];

function drawMeters(peaks) {
  const row = at("meters");
  while (bars.length < peaks.length) {
    const bar = make("span", { class: "bar", role: "meter", "aria-valuemin": FLOOR_DB, "aria-valuemax": 0 }, make("i"), make("b"));
    bar.setAttribute("aria-label", `Output ${bars.length + 1}`);
    const figure = make("span", { class: "db" });
    row.append(make("div", { class: "channel" }, bar, figure));
    bars.push({ bar, figure, peak: 0, until: 0 });
  }
  bars.forEach((item, index) => {
    const peak = peaks[index] ?? 0;
    const now = performance.now();
    if (peak >= item.peak || now > item.until) [item.peak, item.until] = [peak, now + HOLD_MS];
    const level = Math.max(FLOOR_DB, 20 * Math.log10(Math.max(peak, 1e-6)));
    const share = (value) => Math.min(1, Math.max(0, 1 - Math.max(FLOOR_DB, 20 * Math.log10(Math.max(value, 1e-6))) / FLOOR_DB));
    item.bar.style.setProperty("--level", share(peak));
    item.bar.style.setProperty("--peak", share(item.peak));
    item.bar.classList.toggle("clip", item.peak >= 1);
    item.bar.setAttribute("aria-valuenow", level.toFixed(0));
    item.figure.textContent = item.peak >= 1 ? "CLIP" : `${decibels(item.peak)} dB`;
  });
}

// -- presets, when the session has them

async function loadPresets() {
  let found;
  try {
    found = await wire.ask("presets");
  } catch {
    return; // this engine has none
  }
  const row = at("presets");
  row.replaceChildren(make("h2", {}, "Presets"));
  for (const preset of found.presets ?? []) {
    const name = typeof preset === "string" ? preset : preset.name;
    const recalled = name === found.recalled;
    const press = make("button", { type: "button", "aria-pressed": String(recalled) }, recalled ? `● ${name}` : name);
    press.addEventListener("click", () => wire.ask("recall", { name }).then(loadPresets, wire.onProblem));
    row.append(press);
  }
  row.hidden = row.children.length < 2;
}

// -- the transport

at("sound").addEventListener("click", () => wire.ask(playing ? "stop" : "play").catch(wire.onProblem));
at("clock").addEventListener("click", () => wire.ask("transport", { play: !clockOn }).catch(wire.onProblem));
at("tempo").addEventListener("keydown", (event) => event.key === "Enter" && at("tempo").blur());
at("tempo").addEventListener("change", () => {
  const tempo = Number(at("tempo").value.replace(",", "."));
  if (tempo >= 1 && tempo <= 1000) wire.ask("transport", { tempo }).catch(wire.onProblem);
});
