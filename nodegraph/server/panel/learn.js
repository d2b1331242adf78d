// Learning: touch a control on the page, then move a knob (MIDI) or a fader (OSC), and that moves it from then on.

import { make } from "./controls.js";

const DEVICES = { midi: "MIDI", osc: "OSC" };

/** What moves a control, in short: "CC 74", "/1/fader3". */
function named(device, bond) {
  if (device === "osc") return bond.address;
  const of = { "7 bit": "CC", "14 bit": "CC", nrpn: "NRPN", rpn: "RPN", note: "key", bend: "bend", pressure: "pressure", key: "key" };
  return ["bend", "pressure"].includes(bond.what) ? of[bond.what] : `${of[bond.what]} ${bond.number}`;
}

export class Learning {
  /** `button` turns it on and off, `words` says what to do next, `controls` holds what can be touched. */
  constructor(wire, button, words, controls) {
    Object.assign(this, { wire, button, words, controls, on: false, learners: {} });
    button.addEventListener("click", () => this.turn(!this.on));
    for (const name of ["pointerdown", "click", "keydown"]) {
      controls.addEventListener(name, (event) => this.on && this.take(event), { capture: true });
    }
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.on && this.turn(false));
    wire.on("learned", ({ by, learners }) => this.hear(learners, by));
    wire.on("opened", () => this.load());
  }

  async load() {
    try {
      this.hear((await this.wire.ask("learned")).learners);
    } catch {
      this.button.hidden = true; // an older engine
    }
  }

  hear(learners, by = "") {
    this.learners = learners;
    this.button.hidden = !Object.keys(learners).length;
    if (by && this.on) {
      this.last = by;
      this.ask("stop_learning"); // one of them has found something: the others need not wait
    }
    this.draw();
  }

  turn(on) {
    this.on = on;
    this.last = "";
    this.button.setAttribute("aria-pressed", on);
    document.body.classList.toggle("learning", on);
    if (!on && this.waiting) this.ask("stop_learning");
    this.draw();
  }

  get waiting() {
    return Object.values(this.learners).map((item) => item.waiting).find(Boolean);
  }

  take(event) {
    if (event.type === "keydown" && !["Enter", " "].includes(event.key)) return;
    const forget = event.target.closest(".bond");
    const control = event.target.closest(".control");
    const touched = event.target.closest("[data-address]") ?? control?.querySelector("[data-address]");
    if (!forget && !touched) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.type === "pointerdown") return; // the click follows
    if (forget) this.ask("unlearn", { address: forget.dataset.bond });
    else this.learn(touched.dataset.address);
  }

  async learn(address) {
    for (const by of Object.keys(this.learners)) await this.ask("learn", { by, address });
  }

  async ask(what, fields = {}) {
    try {
      this.learners = (await this.wire.ask(what, fields)).learners;
    } catch (problems) {
      this.wire.onProblem(problems);
    }
    this.draw();
  }

  draw() {
    const bonds = new Map();
    for (const [device, { learned }] of Object.entries(this.learners)) {
      for (const bond of learned) {
        const address = device === "osc" ? bond.to : bond.address;
        bonds.set(address, [...(bonds.get(address) ?? []), named(device, bond)]);
      }
    }
    const { waiting } = this;
    this.controls.querySelectorAll(".bonds").forEach((row) => row.remove());
    for (const control of this.controls.querySelectorAll(".control:not(.tags)")) {
      const addresses = new Set([...control.querySelectorAll("[data-address]")].map((item) => item.dataset.address));
      control.classList.toggle("waits", addresses.has(waiting));
      const found = [...addresses].filter((address) => bonds.has(address));
      if (!found.length) continue;
      const row = found.map((address) => {
        const text = bonds.get(address).join(", ");
        const help = this.on ? `Forget what moves ${address}` : `${address} is moved by ${text}`;
        return make("button", { type: "button", class: "bond", "data-bond": address, "aria-label": help, title: help, tabindex: this.on ? 0 : -1 }, this.on ? `${text} ×` : text);
      });
      control.append(make("div", { class: "bonds" }, ...row));
    }
    const by = Object.keys(this.learners).map((name) => DEVICES[name] ?? name).join(" or ");
    this.words.hidden = !this.on;
    if (waiting) this.words.textContent = `Now move what shall move ${waiting}, by ${by}. Escape ends it.`;
    else if (this.last) this.words.textContent = "Learned. Touch another control, or end it with Learn.";
    else this.words.textContent = "Touch a control, then move a knob or a fader. Touch what moves it (×) to forget that.";
  }
}
