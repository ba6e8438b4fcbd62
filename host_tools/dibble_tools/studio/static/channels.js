// Live readings: a card for each channel, its number large, its last while as a line.
import { keep, make, say } from "./dom.js";

const WIDTH = 200, HEIGHT = 44, EDGE = 3;

export function showChannels(channels, left) {
  for (const words of document.querySelectorAll("[data-channels-left]")) say(words, left);
  for (const grid of document.querySelectorAll("[data-channels]")) {
    keep(grid, channels, (channel) => channel.name, create, update);
  }
}

function create() {
  return make("article", { class: "channel" },
    make("h3"), make("p", { class: "value" }), sparkline(), make("p", { class: "quiet span" }));
}

function update(card, channel) {
  card.classList.toggle("missing", channel.missing);
  say(card.querySelector("h3"), channel.label);
  say(card.querySelector(".value"), channel.missing ? "✕ no reading" : channel.text);
  say(card.querySelector(".span"), channel.span);
  draw(card.querySelector("svg"), channel);
}

export function sparkline() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.append(document.createElementNS(svg.namespaceURI, "path"));
  return svg;
}

function draw(svg, { history, label, span }) {
  svg.setAttribute("aria-label", `${label}, lately: ${span}`);
  svg.firstChild.setAttribute("d", path(history));
}

// A gap where a reading is missing; a reading between two gaps is a short dash.
function path(history) {
  const there = history.filter((reading) => reading !== null);
  const low = Math.min(...there), range = Math.max(...there) - low;
  const step = WIDTH / Math.max(history.length - 1, 1);
  let pen = "M", drawn = "";
  history.forEach((reading, index) => {
    if (reading === null) {
      pen = "M";
      return;
    }
    const share = range ? (reading - low) / range : 0.5;
    const x = (index * step).toFixed(1), y = (HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE)).toFixed(1);
    drawn += pen === "M" ? `M${x} ${y}h.1` : `L${x} ${y}`;
    pen = "L";
  });
  return drawn;
}
