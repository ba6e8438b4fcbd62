// The project's models: as a list with their reports, and to choose one from.
import { find, keep, make, say } from "./dom.js";

let known = [];

export function showModels(models) {
  keep(find("#models"), models, (model) => model.name, () => make("li", {},
    make("div", {}, make("strong"), make("p", { class: "verdict" }), make("p", { class: "quiet" }), make("p", { class: "warning" })),
    make("p", { class: "actions" }, make("a", { target: "_blank", class: "button" }, "Report"),
      make("a", { class: "button", download: true }, "Download"))), (row, model) => {
    say(row.querySelector("strong"), model.name);
    const verdict = row.querySelector(".verdict");
    say(verdict, model.verdict && `${model.rely ? "✔" : "✕"} ${model.verdict}`);
    verdict.dataset.rely = model.rely;
    say(row.querySelector(".quiet"), model.words);
    const more = model.verdict.includes(model.shortcut) ? "" : model.shortcut ?? ""; // said once
    say(row.querySelector(".warning"), more);
    row.querySelector(".warning").hidden = !more;
    const [link, save] = row.querySelectorAll("a");
    save.href = `/model/${encodeURIComponent(model.name)}`;
    save.setAttribute("aria-label", `Download ${model.name}`);
    link.href = `/report/${encodeURIComponent(model.name)}`;
    link.hidden = !model.has_report;
    link.setAttribute("aria-label", `Report of ${model.name}`);
  });
  known = models;
  const choices = [...models, { name: "", words: "only firmware and config.json: without a model it measures, with one it keeps it" }];
  keep(find("#deploy-models"), choices, (model) => model.name, (model) => make("label", { class: "choice" },
    make("input", { type: "radio", name: "model", value: model.name }),
    make("span", {}, make("strong"), " ", make("span", { class: "quiet" }))), (choice, model) => {
    say(choice.querySelector("strong"), model.name || "no new one");
    say(choice.querySelector(".quiet"), model.rely === false ? `✕ ${model.verdict}` : model.words);
  });
  // The newest, until somebody chooses another.
  const box = find("#deploy-models");
  const chosen = box.querySelector("input:checked");
  if (!chosen || !box.dataset.chosen) box.querySelector("input").checked = true;
  showAnyway();
}

function showAnyway() {
  const chosen = find("#deploy-models input:checked")?.value;
  find("#anyway").hidden = known.find((model) => model.name === chosen)?.rely !== false;
}

find("#deploy-models").addEventListener("change", (event) => { event.currentTarget.dataset.chosen = "yes"; showAnyway(); });
