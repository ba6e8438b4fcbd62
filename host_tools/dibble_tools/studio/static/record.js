// Takes of sounds: recorded from the board's microphone, each with its waveform, to be heard and deleted.
import { find, keep, make, say } from "./dom.js";
import { isBusy } from "./jobs.js";
import { act, onSubmit } from "./server.js";

export function showClips(clips, job) {
  find("#record-link").hidden = !clips.microphone && !clips.takes.length;
  find("#no-microphone").hidden = Boolean(clips.microphone);
  for (const button of document.querySelectorAll("#record-form button, #train-sounds-form button")) button.disabled = isBusy(job);
  keep(find("#known-sounds"), clips.labels, (label) => label.name, (label) => make("option", { value: label.name }), () => {});
  say(find("#sounds"), clips.labels.map((label) => `${label.name}: ${label.words}`).join(", "));
  find("#no-takes").hidden = clips.takes.length > 0;
  keep(find("#takes"), clips.takes, (take) => `${take.name} ${take.version}`, create, () => {});
  say(find("#more-takes"), clips.more);
  find("#train-sounds").hidden = !clips.next;
  say(find("#train-sounds code"), clips.next);
}

function create(take) {
  const place = `${take.name.split("/").map(encodeURIComponent).join("/")}?${take.version}`;
  return make("li", { class: "take" },
    make("p", {}, make("strong", {}, take.label), " ", make("span", { class: "quiet" }, take.file)),
    make("img", { src: `/waveform/${place}`, alt: `Waveform of ${take.label}, ${take.file}` }),
    make("audio", { src: `/take/${place}`, controls: true, preload: "none", "aria-label": `Play ${take.label}, ${take.file}` }),
    make("button", { type: "button", "aria-label": `Delete ${take.label}, ${take.file}`, onclick: () => remove(take) }, "Delete"));
}

async function remove(take) {
  if (!confirm(`Delete ${take.label}, ${take.file} for good?`)) return;
  if (await act("delete_take", { take: take.name })) find("#record-title").focus();
}

onSubmit(find("#record-form"), (fields) => act("record", {
  label: fields.label, speaker: fields.speaker, count: Number(fields.count),
  take_ms: Math.round(1000 * Number(fields.take_s)), at_once: fields.at_once === "on",
}));

onSubmit(find("#train-sounds-form"), (fields) => act("train_sounds", {
  name: fields.name, budget_s: Number(fields.budget_s), max_bytes: Number(fields.max_bytes),
}));
