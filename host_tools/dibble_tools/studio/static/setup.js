// The project itself: its board, its sensors and their places, and where the wires go.
import { find, keep, make, say } from "./dom.js";
import { act, onSubmit } from "./server.js";

let drivers = [], sensors = [], boards = [], shown = -1, made = false, next = 0;

export function showSetup(setup, project) {
  if (setup.version === shown) return;
  shown = setup.version;
  ({ drivers, boards, made } = setup);
  const form = find("#setup-form");
  find("#setup-name").hidden = made;
  form.elements.name.disabled = made;
  say(find("#setup-title"), made ? `Project ${project}` : "A new project");
  say(find("#setup-lead"), made
    ? "Its board and sensors. A change is written to config.json; what was measured of a sensor that stays is kept."
    : "Name it, and choose the board and its sensors: pins are found for you, and the wiring is drawn.");
  say(form.querySelector("button.main"), made ? "Save the sensors" : "Make the project");
  keep(form.elements.board, boards, (board) => board.name, (board) => make("option", { value: board.name }),
    (option, board) => say(option, board.title));
  form.elements.board.value = setup.board;
  form.elements.action.value = setup.action;
  form.elements.wifi.checked = setup.wifi;
  sensors = setup.sensors.map((sensor) => ({ ...sensor, key: next++ }));
  showSensors();
  showWifi();
  keep(find("#setup-notes"), setup.notes, (text) => text, () => make("li"), say);
  find("#wiring").hidden = !setup.picture;
  find("#tuning").hidden = !made;
  if (setup.picture) find("#wiring-picture").src = `/wiring/wiring.svg?${setup.version}`;
  keep(find("#wires"), setup.wires.map((wire, index) => ({ ...wire, index })), (wire) => wire.index, () => make("li"), (row, wire) => {
    row.classList.toggle("note", wire.note);
    say(row, wire.text);
  });
}

function showSensors() {
  keep(find("#sensors"), sensors, (sensor) => sensor.key, (sensor) => make("li", { class: "sensor" },
    make("label", {}, "Sensor ", driverSelect(sensor)),
    make("label", {}, make("span", { class: "place" }), " ", make("input", {
      maxlength: 20, autocomplete: "off", placeholder: "found for you", value: sensor.place,
    })),
    make("button", { type: "button", onclick: () => remove(sensor) }, "Remove")), (row, sensor) => {
    const facts = drivers.find((driver) => driver.name === sensor.driver);
    say(row.querySelector(".place"), facts?.place ?? "pin");
    const input = row.querySelector("input");
    input.oninput = () => { sensor.place = input.value; };
    row.querySelector("button").setAttribute("aria-label", `Remove ${facts?.title ?? sensor.driver}`);
  });
}

function driverSelect(sensor) {
  const select = make("select", {}, ...drivers.map((driver) => make("option", { value: driver.name, title: driver.words },
    `${driver.title} (${driver.name})`)));
  select.value = sensor.driver;
  select.addEventListener("change", () => {
    sensor.driver = select.value;
    sensor.place = "";
    select.closest("li").querySelector("input").value = "";
    showSensors();
  });
  return select;
}

function remove(sensor) {
  sensors = sensors.filter((other) => other !== sensor);
  showSensors();
  find("#add-sensor").focus();
}

function showWifi() {
  const form = find("#setup-form");
  const able = boards.find((board) => board.name === form.elements.board.value)?.wifi ?? false;
  find("#wifi").hidden = !able;
  if (!able) form.elements.wifi.checked = false;
}

find("#setup-form").elements.board.addEventListener("change", () => {
  for (const sensor of sensors) sensor.place = ""; // another board has other pins
  for (const input of document.querySelectorAll("#sensors input")) input.value = "";
  showWifi();
});
find("#add-sensor").addEventListener("click", () => {
  sensors.push({ driver: drivers[0].name, place: "", key: next++ });
  showSensors();
  find("#sensors").lastElementChild.querySelector("select").focus();
});
onSubmit(find("#setup-form"), async (fields, form) => {
  const wish = {
    board: fields.board, action: fields.action, wifi: form.elements.wifi.checked,
    sensors: sensors.map(({ driver, place }) => ({ driver, place })),
  };
  await (made ? act("set_sensors", wish) : act("make_project", { ...wish, name: fields.name }));
});
for (const button of document.querySelectorAll("[data-measure]")) {
  button.addEventListener("click", () => act("measure", {
    end: button.dataset.measure, sensor: find("#measure-which").elements.sensor.value,
  }));
}
find("#measure-which").addEventListener("submit", (event) => event.preventDefault());
onSubmit(find("#margin-form"), (fields) => act("margin", { margin: Number(fields.margin) }));
