// Long work: what it does now, how far it is, its log, and the buttons that end it.
import { keep, make, say } from "./dom.js";
import { act } from "./server.js";

const WORDS = {
  running: "", stopping: "Stopping …", done: "✔ Done", failed: "✕ It didn’t work", cancelled: "Stopped; nothing was changed",
};

export function showJob(job) {
  for (const box of document.querySelectorAll("[data-job]")) {
    const mine = box.dataset.job === job.kind;
    if (!box.firstChild) build(box, box.dataset.job);
    box.hidden = !mine;
    if (mine) update(box, job);
  }
}

export const isBusy = (job) => job.state === "running" || job.state === "stopping";

function build(box, kind) {
  box.append(
    make("p", { class: "lead", role: "status" }),
    make("progress", { max: 1, "aria-label": "share of the work" }),
    make("p", { class: "actions" },
      kind === "train" ? make("button", { type: "button", onclick: () => act("finish_job") }, "Take the best so far") : null,
      make("button", { type: "button", onclick: () => act(kind === "record" ? "finish_job" : "cancel_job") }, "Stop")),
    make("div", { class: "result" }),
    make("details", {}, make("summary", {}, "Log"), make("ul", { class: "log" })));
  if (kind === "deploy") box.querySelector("details").open = true;
}

function update(box, job) {
  const busy = isBusy(job);
  const [words, bar, buttons, result, details] = box.children;
  box.dataset.state = job.state;
  say(words, job.state === "running" ? sentence(job.step) : job.state === "failed" ? `${WORDS.failed}: ${job.step}` : WORDS[job.state]);
  bar.hidden = !busy;
  if (job.share === null) bar.removeAttribute("value");
  else bar.value = job.share;
  buttons.hidden = job.state !== "running";
  details.hidden = !job.log.length;
  keep(details.querySelector("ul"), job.log.map((text, index) => ({ text, index })), (line) => line.index,
    () => make("li"), (line, item) => say(line, item.text));
  box.dataset.rely = job.result?.rely ?? true;
  keep(result, job.result?.words ?? [], (text) => text, () => make("p"), say);
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + " …";
