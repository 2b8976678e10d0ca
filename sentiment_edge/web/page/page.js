// The page: asks the model in a worker while someone types, and shows the newest answer.
import { runGolden } from "./golden.js";
import { MOST_CHARACTERS } from "./tokens.js";
import { describe, show } from "./view.js";

const DEBOUNCE = 150; // milliseconds without a key
const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11];
const find = id => document.getElementById(id);
const waiting = new Map();
let worker;
let asked = 0;

function fail(line) {
  find("progress").hidden = true;
  find("result").hidden = true;
  find("alert").textContent = line;
}

// Returns what the engine needs and this browser lacks: it shares its memory with threads even where it starts none.
function lacking() {
  if (typeof WebAssembly !== "object") return "WebAssembly";
  if (!WebAssembly.validate(new Uint8Array(SIMD))) return "WebAssembly SIMD";
  try {
    new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  } catch {
    return "WebAssembly threads";
  }
  return null;
}

function ask(text) {
  return new Promise((resolve, reject) => {
    waiting.set(++asked, { resolve, reject });
    worker.postMessage({ number: asked, text: text.slice(0, MOST_CHARACTERS + 1) });
  });
}

function open() {
  worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  return new Promise((resolve, reject) => {
    worker.addEventListener("error", event => {
      event.preventDefault();
      const advice = "Reload the page; if that does not help, write its folder again.";
      const failure = new Error(`A file of this page could not be loaded. ${advice}`);
      reject(failure);
      for (const { reject: refused } of waiting.values()) refused(failure);
      waiting.clear();
    });
    worker.addEventListener("message", ({ data }) => {
      if (data.number !== undefined) {
        const { resolve: answered, reject: refused } = waiting.get(data.number);
        waiting.delete(data.number);
        if (data.error === undefined) answered(data.answer);
        else refused(new Error(data.error));
      } else if (data.error === undefined) resolve(data.manifest);
      else reject(new Error(data.error));
    });
  });
}

function answerWhileTyping() {
  let timer;
  let busy = false;
  let stale = false;
  async function update() {
    stale = busy; // the newest text is asked when the answer to an older one is there
    if (busy) return;
    busy = true;
    const text = find("text").value;
    try {
      const answer = await ask(text);
      find("alert").textContent = "";
      if (!stale) show(find("result"), text, answer);
    } catch (error) {
      fail(error.message);
    }
    busy = false;
    if (stale) update();
  }
  find("text").maxLength = MOST_CHARACTERS + 1; // one more shows that there was more
  find("text").addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(update, DEBOUNCE);
  });
  return update();
}

async function start() {
  if (lacking()) throw new Error(`This browser is too old for this page: it has no ${lacking()}.`);
  const manifest = await open();
  find("progress").hidden = true;
  find("about").textContent = `Your text stays in this browser. ${describe(manifest)}`;
  if (new URLSearchParams(location.search).has("golden")) {
    find("golden").hidden = false;
    find("golden").textContent = JSON.stringify(await runGolden(manifest, ask), null, 2);
  } else await answerWhileTyping();
  document.documentElement.dataset.ready = "yes";
}

find("text").form.addEventListener("submit", event => event.preventDefault());
start().catch(error => fail(error.message));
