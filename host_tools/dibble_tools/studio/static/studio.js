// The page: shows what the studio says, section by section. Nothing is remembered here; every tab shows the same.
import { showChannels } from "./channels.js";
import { showDecision, showEvents } from "./decision.js";
import { find, keep, make, say } from "./dom.js";
import { filesToTrain, showFiles } from "./files.js";
import { showFleet } from "./fleet.js";
import { showFrames } from "./frame.js";
import { isBusy, showJob } from "./jobs.js";
import { showModels } from "./models.js";
import { showSetup } from "./setup.js";
import { showClips } from "./record.js";
import { act, listen, onSubmit, showProblem } from "./server.js";
import { showSpectrum } from "./spectrum.js";

history.replaceState(null, "", `${location.pathname}${location.hash}`); // the token is a cookie by now

function show(state) {
  say(find("#project"), state.setup.made ? `${state.project}: sensors and wiring` : "new project");
  showSetup(state.setup, state.project);
  if (!state.setup.made && !location.hash) location.hash = "#setup";
  showFiles(state.files, state.collect.labels);
  showSteps({
    connect: ["live", "busy"].includes(state.board.state),
    collect: state.collect.labels.length > 1,
    label: state.files.some((file) => file.labelled),
    train: state.models.length > 0,
    deploy: state.decides,
    watch: state.decides && location.hash === "#watch",
  });
  showBoard(state.board, state.node);
  showCollecting(state.collect, state.board);
  showJob(state.job);
  showClips(state.clips, state.job);
  showModels(state.models);
  showFleet(state.fleet, state.models);
  showChannels(state.channels, state.channels_left);
  showSpectrum(state.channels);
  showFrames(state.frames);
  find("#waiting").hidden = !state.waiting;
  showDecision(state.decision);
  showEvents(state.events);
  say(find("#rows"), state.files.some((file) => file.labelled) ? "" : state.collect.rows_words);
  for (const button of document.querySelectorAll("#train-form button, #deploy-form button, #fetch, #rollback, #update-form button, [data-measure]")) button.disabled = isBusy(state.job);
}

function showSteps(done) {
  document.querySelectorAll("#steps a").forEach((link, index) => {
    const name = link.hash.slice(1);
    link.classList.toggle("done", done[name]);
    say(link.querySelector(".mark"), done[name] ? "✔" : String(index + 1));
    link.setAttribute("aria-label", `${index + 1} ${name}${done[name] ? ", done" : ""}`);
  });
}

function showBoard(board, node) {
  const chip = find("#chip");
  chip.dataset.state = board.state;
  say(chip, board.state === "live" && node ? `${board.chip}: ${node}` : board.chip);
  say(find("#connected-words"), board.words);
  find("#connected-actions").hidden = board.state === "none";
  find("#connected-actions").querySelectorAll("button").forEach((button) => { button.disabled = board.state === "busy"; });
  find("#choices").hidden = board.state !== "none";
  find("#no-ports").hidden = board.ports.length > 0;
  find("#virtual button").disabled = board.state !== "none";
  keep(find("#ports"), board.ports, (port) => port.port, (port) => make("li", {},
    make("span", {}, make("strong"), " ", make("span", { class: "quiet" })),
    make("button", { type: "button", class: "main", onclick: () => act("connect", { port: port.port }) }, "Connect")), (row, port) => {
    say(row.querySelector("strong"), port.what);
    say(row.querySelector(".quiet"), port.port);
  });
}

function showCollecting(collect, board) {
  say(find("#collecting"), collect.words);
  find("#pause").hidden = collect.label === null;
  keep(find("#labels"), collect.labels, (label) => label.name, (label) => make("button",
    { type: "button", onclick: () => act("label", { label: label.name }) },
    make("strong", {}, label.name), make("span", { class: "quiet" })), (button, label) => {
    const chosen = label.name === collect.label;
    button.setAttribute("aria-pressed", chosen);
    button.disabled = board.state === "none";
    say(button.querySelector("strong"), `${chosen ? "● " : ""}${label.name}`);
    say(button.querySelector("span"), label.words);
  });
  say(find("#left-out"), collect.left_out);
  say(find("#enough"), collect.enough);
}

function showSection() {
  const sections = [...document.querySelectorAll("main > section")];
  const chosen = sections.find((section) => `#${section.id}` === location.hash) ?? find("#connect");
  for (const section of sections) section.hidden = section !== chosen;
  for (const link of document.querySelectorAll("#steps a")) {
    if (link.hash === `#${chosen.id}`) link.setAttribute("aria-current", "step");
    else link.removeAttribute("aria-current");
  }
  showProblem("");
  scrollTo(0, 0);
  return chosen;
}

addEventListener("hashchange", () => {
  const section = showSection();
  section.querySelector("h2").focus({ preventScroll: true });
  if (["record", "label", "train", "deploy"].includes(section.id)) act("look_at_files"); // others may have put some there
});
find("#problem button").addEventListener("click", () => showProblem(""));
find("#disconnect").addEventListener("click", () => act("disconnect"));
find("#restart").addEventListener("click", () => act("restart"));
find("#pause").addEventListener("click", () => act("pause"));
onSubmit(find("#virtual"), (fields) => act("virtual", { speed: Number(fields.speed) }));
onSubmit(find("#new-label"), async (fields, form) => (await act("label", fields)) && form.reset());
onSubmit(find("#train-form"), (fields) => act("train", {
  name: fields.name, recipe: fields.recipe, files: filesToTrain(),
  budget_s: Number(fields.budget_s), max_bytes: Number(fields.max_bytes),
}));
onSubmit(find("#deploy-form"), (fields) => act("deploy", { model: fields.model, anyway: fields.anyway === "on" }));
find("#rollback").addEventListener("click", () => act("rollback"));
showSection();
listen(show);
