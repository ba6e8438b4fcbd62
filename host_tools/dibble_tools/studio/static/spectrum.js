// A heater scan as a small spectrum: a bar for each step, by the logarithm of its resistance; where it was a scan ago, a line.
import { make, say } from "./dom.js";

const WIDTH = 200, HEIGHT = 60, LOW = 10, HIGH = 27; // octaves of ohm: 1 kohm to 134 Mohm
const STEP = /^gas_(?:s(\d+)_)?(\d+)_ohm$/;

// The steps among the channels, of the last scan where each is given: number, reading now and a scan ago, its text;
// none of fewer than two.
export function stepsOf(channels) {
  const named = channels.map((channel) => [STEP.exec(channel.name), channel]).filter(([match]) => match);
  const last = Math.max(...named.map(([match]) => Number(match[1] ?? 0)));
  const found = named.filter(([match]) => Number(match[1] ?? 0) === last).map(([match, channel]) => ({
    number: Number(match[2]),
    now: channel.history.at(-1) ?? null,
    before: channel.history.at(-2) ?? null,
    text: channel.text,
  }));
  return found.length > 1 ? found : [];
}

// How high a resistance stands, 0 to HEIGHT.
export function heightOf(ohm) {
  const share = (Math.log2(ohm) - LOW) / (HIGH - LOW);
  return Math.max(0, Math.min(1, share)) * HEIGHT;
}

export function showSpectrum(channels) {
  const steps = stepsOf(channels);
  for (const grid of document.querySelectorAll("[data-channels]")) {
    let figure = grid.previousElementSibling;
    if (!figure?.matches(".spectrum")) {
      figure = make("figure", { class: "spectrum" }, make("figcaption"), drawing(), make("p", { class: "steps quiet" }),
        make("p", { class: "quiet note" }));
      grid.before(figure);
    }
    figure.hidden = !steps.length;
    if (steps.length) draw(figure, steps);
  }
}

function drawing() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  for (const kind of ["bars", "before"]) {
    const path = document.createElementNS(svg.namespaceURI, "path");
    path.setAttribute("class", kind);
    svg.append(path);
  }
  return svg;
}

function draw(figure, steps) {
  const width = WIDTH / steps.length;
  const there = steps.map((step, i) => ({ ...step, x: i * width }));
  const bars = there.filter((step) => step.now > 0).map(({ x, now }) =>
    `M${(x + 1).toFixed(1)} ${HEIGHT}v-${heightOf(now).toFixed(1)}h${(width - 2).toFixed(1)}V${HEIGHT}z`);
  const before = there.filter((step) => step.before > 0).map(({ x, before: ohm }) =>
    `M${x.toFixed(1)} ${(HEIGHT - heightOf(ohm)).toFixed(1)}h${width.toFixed(1)}`);
  const svg = figure.querySelector("svg");
  svg.querySelector(".bars").setAttribute("d", bars.join(""));
  svg.querySelector(".before").setAttribute("d", before.join(""));
  const missing = steps.filter((step) => !(step.now > 0));
  const words = `The heater’s scan: ${steps.length} steps${missing.length ? `, none at ${missing.map((step) => step.number).join(", ")}` : ""}`;
  const sorted = steps.filter((step) => step.now > 0).sort((one, other) => one.now - other.now);
  const span = sorted.length ? `, from ${sorted[0].text} to ${sorted.at(-1).text}` : "";
  svg.setAttribute("aria-label", words + span);
  say(figure.querySelector("figcaption"), words + span);
  const numbers = figure.querySelector(".steps");
  if (numbers.childElementCount !== steps.length) numbers.replaceChildren(...steps.map(() => make("span")));
  steps.forEach((step, i) => say(numbers.children[i], step.now > 0 ? String(step.number) : `${step.number} ✕`));
  say(figure.querySelector(".note"), "By the logarithm, 1 kΩ to 134 MΩ; line: the scan before.");
}
