// The project's models: as a list with their reports, and to choose one from.
import { find, keep, make, say } from "./dom.js";

export function showModels(models) {
  keep(find("#models"), models, (model) => model.name, () => make("li", {},
    make("div", {}, make("strong"), make("p", { class: "quiet" }), make("p", { class: "warning" })),
    make("a", { target: "_blank", class: "button" }, "Report")), (row, model) => {
    say(row.querySelector("strong"), model.name);
    say(row.querySelector(".quiet"), model.words);
    say(row.querySelector(".warning"), model.shortcut ?? "");
    row.querySelector(".warning").hidden = !model.shortcut;
    const link = row.querySelector("a");
    link.href = `/report/${encodeURIComponent(model.name)}`;
    link.hidden = !model.has_report;
    link.setAttribute("aria-label", `Report of ${model.name}`);
  });
  const choices = [...models, { name: "", words: "only firmware and config.json: without a model it measures, with one it keeps it" }];
  keep(find("#deploy-models"), choices, (model) => model.name, (model) => make("label", { class: "choice" },
    make("input", { type: "radio", name: "model", value: model.name }),
    make("span", {}, make("strong"), " ", make("span", { class: "quiet" }))), (choice, model) => {
    say(choice.querySelector("strong"), model.name || "no new one");
    say(choice.querySelector(".quiet"), model.words);
  });
  // The newest, until somebody chooses another.
  const box = find("#deploy-models");
  const chosen = box.querySelector("input:checked");
  if (!chosen || !box.dataset.chosen) box.querySelector("input").checked = true;
}

find("#deploy-models").addEventListener("change", (event) => { event.currentTarget.dataset.chosen = "yes"; });
