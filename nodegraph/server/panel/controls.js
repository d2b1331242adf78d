// What stands on the panel: sliders, toggles, pads, buttons and what outlets say. Each has `show(value)` for news.

import { placeOf, shown, valueAt, words } from "./scale.js";

const STEPS = 1000;
const HELD_MS = 400;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const gripped = new Set();
for (const name of ["pointerup", "pointercancel", "blur"]) {
  const letGo = () => {
    for (const grip of gripped) grip.let();
    gripped.clear();
  };
  window.addEventListener(name, letGo, { capture: true });
}

/** What a finger holds is not moved under it by news. */
class Grip {
  constructor(element) {
    this.until = 0;
    this.down = false;
    element.addEventListener("pointerdown", () => {
      this.down = true;
      gripped.add(this);
    });
  }
  touch() {
    this.until = performance.now() + HELD_MS;
    this.later = null; // what the hand does now is newer
  }
  let() {
    this.down = false;
    this.touch();
  }
  get free() {
    return !this.down && performance.now() > this.until;
  }
  /** Call something now, or when the hand has let go. */
  whenFree(call) {
    if (this.free) {
      call();
      return;
    }
    this.later = call;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.later && this.whenFree(this.later), HELD_MS / 2);
  }
}

let count = 0;

function range(item, label, onMove) {
  const input = make("input", {
    type: "range", min: 0, max: STEPS, step: 1, "aria-label": label, "data-address": item.address,
  });
  const grip = new Grip(input);
  const whole = item.curve === "integer";
  if (whole) [input.min, input.max] = item.span;
  const show = (value) => {
    input.value = whole ? Math.round(value) : Math.round(placeOf(value, item) * STEPS);
    input.style.setProperty("--fill", `${100 * placeOf(value, item)}%`);
    input.setAttribute("aria-valuetext", `${shown(value)} ${item.unit ?? ""}`.trim());
  };
  input.addEventListener("input", () => {
    grip.touch();
    onMove(whole ? Number(input.value) : valueAt(input.value / STEPS, item));
  });
  return { input, grip, show };
}

function slider(item, send) {
  const id = `control-${++count}`;
  const number = make("input", {
    class: "number", id, inputmode: "decimal", autocomplete: "off", "aria-label": `${item.label}, value`,
  });
  const bar = range(item, item.label, (value) => move(value));
  let now = item.value;
  const show = (value) => {
    now = value;
    bar.show(value);
    if (document.activeElement !== number) number.value = shown(value);
  };
  const move = (value) => {
    show(value);
    send(item.address, value);
  };
  const commit = () => {
    const wanted = Number(number.value.trim().replace(",", "."));
    const value = Math.min(Math.max(wanted, item.span[0]), item.span[1]);
    if (number.value.trim() !== "" && Number.isFinite(wanted) && number.value !== shown(now)) move(value);
    number.value = shown(now);
  };
  number.addEventListener("keydown", (event) => event.key === "Enter" && number.blur());
  number.addEventListener("focus", () => number.select());
  number.addEventListener("blur", commit);
  bar.input.addEventListener("dblclick", () => move(item.default));
  bar.input.addEventListener("keydown", (event) => {
    if (event.key === "Delete" || event.key === "Backspace") move(item.default);
  });
  const head = make("div", { class: "head" }, make("label", { for: id, title: item.help }, item.label));
  head.append(make("span", { class: "value" }, number, make("span", { class: "unit" }, item.unit ?? "")));
  const element = make("div", { class: "control slider" }, head, bar.input);
  show(item.value);
  return { element, addresses: [item.address], show: (address, value) => bar.grip.whenFree(() => show(value)) };
}

function toggle(item, send) {
  const word = make("span", { class: "word" });
  const button = make(
    "button",
    { type: "button", role: "switch", class: "switch", title: item.help, "data-address": item.address },
    make("span", { class: "name" }, item.label), make("span", { class: "knob", "aria-hidden": "true" }), word,
  );
  const show = (value) => {
    button.setAttribute("aria-checked", value >= 0.5);
    word.textContent = value >= 0.5 ? "on" : "off";
  };
  button.addEventListener("click", () => {
    const value = button.getAttribute("aria-checked") === "true" ? 0 : 1;
    show(value);
    send(item.address, value);
  });
  show(item.value);
  return { element: make("div", { class: "control" }, button), addresses: [item.address], show: (_, value) => show(value) };
}

function pad(item, send) {
  const [x, y] = [item, item.y];
  const now = { [x.address]: x.value, [y.address]: y.value };
  let news = {};
  const dot = make("span", { class: "dot", "aria-hidden": "true" });
  const field = make("div", { class: "field", "aria-hidden": "true", "data-address": x.address }, dot);
  const grip = new Grip(field);
  const names = [`${item.label}, ${x.node} ${x.port}`, `${item.label}, ${y.node} ${y.port}`];
  const bars = [x, y].map((axis, index) => range(axis, names[index], (value) => move(axis, value)));
  const figures = [x, y].map(() => make("output", { class: "value" }));
  const draw = () => {
    dot.style.left = `${100 * placeOf(now[x.address], x)}%`;
    dot.style.bottom = `${100 * placeOf(now[y.address], y)}%`;
    [x, y].forEach((axis, index) => {
      bars[index].show(now[axis.address]);
      figures[index].textContent = `${shown(now[axis.address])} ${axis.unit ?? ""}`;
    });
  };
  const move = (axis, value) => {
    now[axis.address] = value;
    delete news[axis.address];
    grip.touch();
    draw();
    send(axis.address, value);
  };
  const follow = (event) => {
    const box = field.getBoundingClientRect();
    const within = (share) => Math.min(Math.max(share, 0), 1);
    move(x, valueAt(within((event.clientX - box.left) / box.width), x));
    move(y, valueAt(within((box.bottom - event.clientY) / box.height), y));
  };
  field.addEventListener("pointerdown", (event) => {
    field.setPointerCapture(event.pointerId);
    follow(event);
  });
  field.addEventListener("pointermove", (event) => grip.down && follow(event));
  const rows = [x, y].map((axis, index) =>
    make("div", { class: "axis" }, make("span", {}, `${index ? "Y" : "X"} ${axis.port}`), bars[index].input, figures[index]),
  );
  draw();
  return {
    element: make("div", { class: "control pad", role: "group", "aria-label": item.label },
      make("div", { class: "head" }, make("span", { title: item.help }, item.label)), field, ...rows),
    addresses: [x.address, y.address],
    show(address, value) {
      const held = [grip, ...bars.map((bar) => bar.grip)].find((item) => !item.free) ?? grip;
      news[address] = value;
      held.whenFree(() => {
        Object.assign(now, news);
        news = {};
        draw();
      });
    },
  };
}

function button(item, send) {
  const press = make("button", { type: "button", class: "press", title: item.help, "data-address": item.address }, item.label);
  press.addEventListener("click", () => send(item.address, item.span ? item.span[1] : { bang: true }));
  return { element: make("div", { class: "control" }, press), addresses: [], show() {} };
}

const RECENT = 4;

function tags(item) {
  const lamp = make("span", { class: "lamp", "aria-hidden": "true" });
  const list = make("ul", { class: "said", "aria-label": item.label });
  const head = make("div", { class: "head" }, make("span", { title: item.help }, item.label), lamp);
  let dark = 0;
  return {
    element: make("div", { class: "control tags" }, head, list),
    addresses: [],
    outlet: item.address,
    show() {},
    hear(message) {
      const row = make("li", {}, make("span", {}, words(message)));
      if (message?.tag) {
        const score = make("meter", { min: 0, max: 1, value: message.tag[1] });
        row.append(score, make("span", { class: "score" }, `${Math.round(100 * message.tag[1])} %`));
      }
      list.prepend(row);
      while (list.children.length > RECENT) list.lastChild.remove();
      lamp.classList.add("lit");
      clearTimeout(dark);
      dark = setTimeout(() => lamp.classList.remove("lit"), 120);
    },
  };
}

const KINDS = { slider, toggle, xy: pad, button, tags };

/** The control for an item of the panel, or null for one that stands elsewhere. */
export function control(item, send) {
  const kind = KINDS[item.kind];
  return kind ? kind(item, send) : null;
}

export { make };
