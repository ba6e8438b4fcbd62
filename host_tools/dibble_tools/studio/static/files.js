// The project's files: a picture of each channel with its labels, a part of it chosen by pointer or by keys, and labelled.
import { find, keep, make, say } from "./dom.js";
import { act, fetched, onSubmit } from "./server.js";

const AROUND = 60; // readings before and after a suggested one that are shown with it
let files = [], rows = null, version = "", view = [0, 0], dragged = null, resized = 0;
const first = find("#first"), last = find("#last"), chart = find("#chart");

export function showFiles(list, labels) {
  files = list;
  const select = find("#table");
  keep(select, files, (file) => file.name, (file) => make("option", { value: file.name }), (option, file) => say(option, file.name));
  if (!select.value && files.length) select.value = files[0].name;
  select.disabled = !files.length;
  keep(find("#known-labels"), labels, (label) => label.name, (label) => make("option", { value: label.name }), () => {});
  keep(find("#train-files"), files.filter((file) => file.labelled), (file) => file.name, (file) => make("label", { class: "choice" },
    make("input", { type: "checkbox", value: file.name, checked: file.name === "field.csv" || files.length === 1 }),
    make("span", {}, make("strong"), " ", make("span", { class: "quiet" }))), (choice, file) => {
    say(choice.querySelector("strong"), file.name);
    say(choice.querySelector(".quiet"), file.words);
  });
  showTable();
}

export const filesToTrain = () => [...document.querySelectorAll("#train-files input:checked")].map((box) => box.value);

async function showTable() {
  const file = files.find((each) => each.name === find("#table").value);
  say(find("#table-words"), file ? file.words : "No files yet: collect readings, bring a log home, or put CSV files into the project’s folder.");
  find("#chart-box").hidden = !file?.rows;
  find("#save-file").hidden = !file;
  if (!file) return;
  find("#save-file").href = `/file/${path(file.name)}`;
  if (!file.rows || (rows?.name === file.name && version === file.version)) return;
  const again = rows?.name === file.name;
  version = file.version;
  rows = await fetched(`/rows/${path(file.name)}`);
  if (!rows) return;
  const end = rows.times.length - 1;
  if (!again) {
    view = [0, end];
    choose(0, end);
    say(find("#suggested-words"), "");
    find("#suggested").replaceChildren();
  }
  view = [Math.min(view[0], end), Math.min(view[1], end)];
  if (view[1] <= view[0]) view = [0, end];
  choose(Math.min(Number(first.value), end), Math.min(Number(last.value), end));
  showView();
}

const path = (name) => name.split("/").map(encodeURIComponent).join("/");

function showView() {
  for (const slider of [first, last]) [slider.min, slider.max] = view;
  find("#chart-picture").src = `/chart/${path(rows.name)}?first=${view[0]}&last=${view[1]}&width=${Math.round(chart.clientWidth || 960)}&${version}`;
  choose(Math.max(Number(first.value), view[0]), Math.min(Number(last.value), view[1]));
}

// A row ends where the next one begins, or before a stretch without readings.
const endOf = (row) => Math.min(rows.places[row + 1], rows.places[row] + rows.together);

function choose(from, to) {
  if (!rows) return;
  first.max = last.max = Math.max(Number(first.max), to);
  first.value = Math.min(from, to);
  last.value = Math.max(from, to);
  const low = Number(first.value), high = Number(last.value), begin = rows.places[view[0]], whole = endOf(view[1]) - begin;
  const span = find("#span");
  span.style.left = `${(100 * (rows.places[low] - begin)) / whole}%`;
  span.classList.toggle("all", low === view[0] && high === view[1]);
  span.style.width = `${(100 * (endOf(high) - rows.places[low])) / whole}%`;
  for (const [slider, row] of [[first, low], [last, high]]) {
    say(find(`#${slider.id}-time`), rows.times[row] || `row ${row + 1}`);
    slider.setAttribute("aria-valuetext", rows.times[row] || `row ${row + 1}`);
  }
  const counts = new Map();
  for (const label of rows.labels.slice(low, high + 1)) counts.set(label, (counts.get(label) ?? 0) + 1);
  const told = [...counts].map(([label, number]) => `${number} ${label || "without a label"}`).join(", ");
  say(find("#span-words"), `Chosen: ${high > low ? `${high - low + 1} readings` : "1 reading"} (${told}).`);
  find("#chart-picture").alt = `Readings of ${rows.name} over time, each channel with its labels; chosen: ${told}.`;
}

function rowAt(event) {
  const box = chart.getBoundingClientRect();
  const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 0.999999);
  const place = rows.places[view[0]] + share * (endOf(view[1]) - rows.places[view[0]]);
  let [low, high] = view;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (rows.places[middle] <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}

chart.addEventListener("pointerdown", (event) => {
  if (!rows || event.button) return;
  dragged = rowAt(event);
  chart.setPointerCapture(event.pointerId);
  choose(dragged, dragged);
  event.preventDefault();
});
chart.addEventListener("pointermove", (event) => { if (dragged !== null) choose(dragged, rowAt(event)); });
for (const end of ["pointerup", "pointercancel"]) chart.addEventListener(end, () => { dragged = null; });
first.addEventListener("input", () => choose(Number(first.value), Math.max(Number(first.value), Number(last.value))));
last.addEventListener("input", () => choose(Math.min(Number(first.value), Number(last.value)), Number(last.value)));
find("#table").addEventListener("change", showTable);

// Which readings are worth a label most: a button for each, which chooses it and shows what is around it.
async function suggest() {
  const name = rows.name;
  say(find("#suggested-words"), "Looking for the readings that are worth a label most…");
  const found = await fetched(`/suggested/${path(name)}`);
  if (!found || rows.name !== name) return say(find("#suggested-words"), "");
  say(find("#suggested-words"), found.length ? "A label of these tells a model most. Choose one, and say what it was:" : "No reading is left to suggest.");
  find("#suggested").replaceChildren(...found.map((each) => make("li", {}, make("button", { type: "button", onclick: () => around(each.row) },
    `${each.time}: ${each.why}${each.said ? `, the node said ${each.said}` : ""}`))));
}

function around(row) {
  const end = rows.times.length - 1;
  view = [Math.max(0, row - AROUND), Math.min(end, row + AROUND)];
  showView();
  choose(row, row);
  find('#span-form [name="label"]').focus();
}

const chosen = () => ({ file: rows.name, first: Number(first.value), last: Number(last.value) });
// A log's labels go to a file beside it, which is shown from then on.
async function label(text) {
  const known = new Set(files.map((file) => file.name)), log = !files.find((file) => file.name === rows.name)?.labelled;
  if (!(await act("label_rows", { ...chosen(), label: text }))) return;
  find("#span-form").reset();
  if (!log) return;
  const beside = `${rows.name.split("/").pop().replace(/\.csv$/, "")}-labelled.csv`;
  setTimeout(() => {
    if (!known.has(beside) && files.some((file) => file.name === beside)) find("#table").value = beside;
    showTable();
  }, 600);
}

onSubmit(find("#span-form"), (fields) => label(fields.label));
find("#unlabel").addEventListener("click", () => label(""));
find("#delete-rows").addEventListener("click", () => act("delete_rows", chosen()));
find("#undo").addEventListener("click", () => act("undo_rows", { file: rows.name }));
find("#zoom").addEventListener("click", () => { view = [Number(first.value), Number(last.value)]; showView(); });
find("#suggest").addEventListener("click", suggest);
find("#whole").addEventListener("click", () => { view = [0, rows.times.length - 1]; showView(); });
addEventListener("resize", () => {
  clearTimeout(resized);
  resized = setTimeout(() => { if (rows && chart.clientWidth) showView(); }, 300);
});
addEventListener("hashchange", () => { if (rows && location.hash === "#label") setTimeout(showView); });
find("#fetch").addEventListener("click", () => act("fetch"));
