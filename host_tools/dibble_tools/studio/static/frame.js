// A thermal array's frame as a picture: what each pixel is above its background, dark is cold, bright is warm. A camera's as it is.
import { keep, make, say } from "./dom.js";

const RAMP = [[0, 0, 4], [40, 11, 84], [101, 21, 110], [159, 42, 99], [212, 72, 66], [245, 125, 21], [250, 194, 40], [252, 255, 164]];

// The colour of a share from 0, the coldest, to 1.
export function colourOf(share) {
  const at = Math.max(0, Math.min(1, share)) * (RAMP.length - 1);
  const below = Math.min(Math.floor(at), RAMP.length - 2);
  return RAMP[below].map((part, i) => Math.round(part + (RAMP[below + 1][i] - part) * (at - below)));
}

// One figure a sensor.
export function showFrames(frames) {
  for (const place of document.querySelectorAll("[data-frames]")) keep(place, frames, (frame) => frame.sensor, create, draw);
}

function create() {
  return make("figure", { class: "frame" }, make("figcaption"), make("canvas", { role: "img" }), make("p", { class: "quiet note" }));
}

function draw(figure, { rows, columns, pixels, least_span, colours, words, range }) {
  const canvas = figure.querySelector("canvas");
  if (canvas.width !== columns || canvas.height !== rows) Object.assign(canvas, { width: columns, height: rows });
  const low = Math.min(...pixels), span = Math.max(Math.max(...pixels) - low, least_span);
  const image = new ImageData(columns, rows);
  pixels.forEach((pixel, i) => image.data.set([...colourOf((pixel - low) / span), 255], 4 * i));
  colours.forEach((colour, i) => image.data.set([...colour, 255], 4 * i));
  canvas.getContext("2d").putImageData(image, 0, 0);
  canvas.setAttribute("aria-label", `${words}, ${range}`);
  say(figure.querySelector("figcaption"), words);
  say(figure.querySelector(".note"), range);
}
