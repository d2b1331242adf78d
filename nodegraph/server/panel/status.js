// The status page: every figure that the engine gives of itself.

import { make } from "./controls.js";
import { decibels } from "./scale.js";
import { Wire, addLine, ownName, showState, text } from "./wire.js";

const at = (id) => document.getElementById(id);
const seconds = (value) => `${(1000 * value).toFixed(1)} ms`;
const shapes = {
  load: (value) => `${(100 * value).toFixed(1)} %`,
  latency_s: seconds,
  time: (value) => `${value.toFixed(1)} s`,
  outputs: (value) => value.map((peak) => `${decibels(peak)} dB`).join("  "),
  inputs: (value) => value.map((peak) => `${decibels(peak)} dB`).join("  ") || "none",
  clock: (value) => value && `${value.on ? "goes" : "stands"}, ${value.tempo.toFixed(1)} BPM, beat ${value.beat.toFixed(2)}`,
  at: (value) => new Date(1000 * value).toLocaleString(),
};

const wire = new Wire({
  name: ownName("status"),
  topics: ["status", "log", "playing"],
  periods: { status: 0.5 },
  onState: (state, words) => showState(at("connection"), state, words),
  async onOpen(hello) {
    at("title").textContent = hello.title || "untitled";
    document.title = `${hello.title || "nodegraph"} – status`;
    const { lines } = await wire.ask("log", { most: 200 });
    at("log").replaceChildren();
    lines.forEach((line) => addLine(at("log"), line));
  },
});

wire.onProblem = (problems) => addLine(at("log"), { text: text(problems), bad: true });
wire.on("log", (line) => addLine(at("log"), line));
wire.on("playing", ({ error }) => error && wire.onProblem(error));
wire.on("status", ({ on, ...status }) => {
  const rows = Object.entries(status).map(([name, value]) => {
    const said = shapes[name]?.(value) ?? plain(value);
    return make("tr", {}, make("th", { scope: "row" }, name.replaceAll("_", " ")), make("td", {}, said));
  });
  at("figures").replaceChildren(...rows);
});

function plain(value) {
  if (typeof value === "number") return Number.isInteger(value) ? `${value}` : value.toFixed(3);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (value === null || value === undefined) return "–";
  if (typeof value !== "object") return `${value}`;
  const parts = Object.entries(value).map(([name, item]) => (Array.isArray(value) ? plain(item) : `${name}: ${plain(item)}`));
  return parts.join(", ") || "none";
}
