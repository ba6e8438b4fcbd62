// The fleet: a row a node, those that need somebody first; a new model for them, the canary first.
import { find, keep, make, say } from "./dom.js";
import { act, fetched, onSubmit } from "./server.js";

const AGAIN_MS = 15000;
const FEW = 8; // that need no filter
let on = false;
let nodes = null; // as the server told them last

export function showFleet(fleet, models) {
  on = fleet !== null;
  find("#fleet-link").hidden = !on;
  if (!on) return;
  say(find("#fleet-written"), fleet.written ?? "");
  find("#update-form").hidden = !fleet.broker;
  find("#no-broker").hidden = Boolean(fleet.broker);
  keep(find("#update-model"), models, (model) => model.name, (model) => make("option", { value: model.name }),
    (option, model) => say(option, model.name));
  const chosen = models.find((model) => model.name === find("#update-model").value);
  find("#update-anyway").hidden = !chosen || chosen.rely !== false;
}

async function look() {
  if (!on || location.hash !== "#fleet") return;
  nodes = (await fetched("/fleet/nodes")) ?? nodes;
  draw();
}

function draw() {
  if (!nodes) return;
  const need = nodes.filter((node) => node.concerns.length).length;
  say(find("#fleet-words"), nodes.length
    ? `${nodes.length} nodes; ${need ? `${need} need somebody` : "none needs anybody"}.`
    : "No node has said anything yet: is dibble fleet listen running?");
  find("#fleet-filter").hidden = nodes.length <= FEW;
  const asked = find("#fleet-search").value.trim().toLowerCase();
  const only = find("#fleet-only").checked;
  const shown = nodes.filter((node) => (!only || node.concerns.length) && words(node).toLowerCase().includes(asked));
  say(find("#fleet-shown"), shown.length < nodes.length ? `${shown.length} of ${nodes.length} are shown.` : "");
  keep(find("#nodes"), shown, (node) => node.name, create, update);
}

const state = (node) => (node.late ? "✕ silent" : node.drifts ? "≠ drifts" : "✔");
const brief = (node) => `${node.held || "no decision"}, ${node.seen}, ${node.battery}`;
const more = (node) => [`model ${node.model}`, node.shares, node.update].filter(Boolean).join("; ");
const words = (node) => [node.name, state(node), brief(node), more(node), ...node.concerns].join(" ");

function create(node) {
  return make("li", {},
    make("details", {},
      make("summary", {}, make("strong", {}, node.name), " ", make("span", { class: "chip" }), " ",
        make("span", { class: "what" })),
      make("p", { class: "quiet" }),
      make("button", { type: "button", onclick: () => open(node.name) }, "Look and label")),
    make("ul", { class: "log" }));
}

function update(row, node) {
  const chip = row.querySelector(".chip");
  chip.dataset.state = node.late ? "lost" : node.drifts ? "busy" : "live";
  say(chip, state(node));
  say(row.querySelector(".what"), brief(node));
  say(row.querySelector(".quiet"), more(node));
  keep(row.querySelector("ul"), node.concerns, (text) => text, () => make("li"), say);
}

async function open(name) {
  if (!(await act("open_node", { node: name }))) return;
  setTimeout(() => {
    find("#table").value = `fleet/${name}`;
    find("#table").dispatchEvent(new Event("change"));
    location.hash = "#label";
  }, 600);
}

find("#take-labelled").addEventListener("click", () => act("take_labelled"));
onSubmit(find("#update-form"), (fields) => act("update_nodes", {
  model: fields.model ?? "", nodes: fields.nodes, canary: Number(fields.canary), then: fields.then,
  patience_h: Number(fields.patience_h), anyway: fields.anyway === "on",
}));
for (const name of ["#fleet-search", "#fleet-only"]) find(name).addEventListener("input", draw);
addEventListener("hashchange", look);
setInterval(look, AGAIN_MS);
setTimeout(look, 500);
