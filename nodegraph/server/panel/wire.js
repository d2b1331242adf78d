// The connection to the session: requests with answers, news, and a new try whenever it is lost.

const FIRST_TRY_MS = 250;
const LAST_TRY_MS = 5000;

export class Wire {
  constructor({ name, topics, periods, onState, onOpen }) {
    Object.assign(this, { name, topics, periods, onState, onOpen });
    this.ears = new Map();
    this.waiting = new Map();
    this.next = 1;
    this.wait = FIRST_TRY_MS;
    this.pending = new Map();
    this.open();
  }

  /** Have `call(data)` called with the news of a topic. */
  on(topic, call) {
    this.ears.set(topic, call);
  }

  open() {
    this.onState("waiting", "connecting …");
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
    this.socket = socket;
    let opened = false;
    socket.addEventListener("open", async () => {
      opened = true;
      this.wait = FIRST_TRY_MS;
      try {
        this.hello = await this.ask("hello", { name: this.name });
        await this.ask("subscribe", { topics: this.topics, periods: this.periods, echo: false });
        this.onState("good", "connected");
        await this.onOpen(this.hello);
      } catch (problem) {
        this.onState("bad", text(problem));
      }
    });
    socket.addEventListener("message", (event) => this.take(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => this.lost(opened, event));
  }

  async lost(opened, event) {
    for (const { reject } of this.waiting.values()) reject([{ what: "The connection is lost." }]);
    this.waiting.clear();
    let why = event.reason ? `${event.reason}; ` : "";
    if (!opened) {
      try {
        const answer = await fetch("health", { cache: "no-store" });
        if (answer.ok) why = "open the address that the engine printed at its start; ";
      } catch {
        why = "the engine does not answer; ";
      }
    }
    this.onState("bad", `${why}trying again`);
    setTimeout(() => this.open(), this.wait);
    this.wait = Math.min(this.wait * 2, LAST_TRY_MS);
  }

  take(data) {
    if ("on" in data) {
      this.ears.get(data.on)?.(data);
      return;
    }
    const waiting = this.waiting.get(data.re);
    this.waiting.delete(data.re);
    if (data.error) (waiting?.reject ?? this.onProblem ?? (() => {}))(data.error);
    else waiting?.resolve(data.ok);
  }

  /** A request; gives what is answered, or throws the list of problems. */
  ask(what, fields = {}) {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      if (this.socket.readyState !== WebSocket.OPEN) {
        reject([{ what: "There is no connection." }]);
        return;
      }
      this.waiting.set(id, { resolve, reject });
      this.socket.send(JSON.stringify({ id, do: what, ...fields }));
    });
  }

  /** Move a control: what is moved within one picture of the screen goes in one request. */
  set(address, value) {
    if (this.pending.size === 0) requestAnimationFrame(() => this.flush());
    this.pending.set(address, value);
  }

  flush() {
    const values = Object.fromEntries(this.pending);
    this.pending.clear();
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ do: "set", values }));
  }
}

/** Problems as one text. */
export function text(problems) {
  return Array.isArray(problems) ? problems.map((item) => `${item.what} ${item.do ?? ""}`.trim()).join(" ") : `${problems}`;
}

/** A name that other clients see; another in every window. */
export function ownName(kind) {
  return `${kind} ${Math.random().toString(36).slice(2, 6)}`;
}

/** Show how the connection is: by words, and by a sign that has another shape for each. */
export function showState(element, state, words) {
  element.dataset.state = state;
  if (element.textContent !== words) element.textContent = words;
}

const LINES = 200;

/** Add a line to the log. */
export function addLine(list, line) {
  const item = document.createElement("li");
  const time = document.createElement("time");
  const when = new Date((line.at ?? Date.now() / 1000) * 1000);
  time.dateTime = when.toISOString();
  time.textContent = when.toLocaleTimeString([], { hour12: false });
  const node = document.createElement("b");
  node.textContent = line.node ?? "";
  item.append(time, node, document.createTextNode(line.text));
  if (line.bad) item.className = "bad";
  list.prepend(item);
  while (list.children.length > LINES) list.lastChild.remove();
}
