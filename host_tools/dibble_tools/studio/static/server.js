// The studio's process: its state comes as server-sent events, what a button does goes as a POST.
import { find, say } from "./dom.js";

export function listen(show) {
  const events = new EventSource("/events");
  events.onmessage = (event) => show(JSON.parse(event.data));
  events.onerror = () => {
    const chip = find("#chip");
    chip.dataset.state = "lost";
    say(chip, "✕ The studio doesn’t answer. Start it again: dibble studio");
  };
}

export async function act(action, wish = {}) {
  showProblem("");
  let answer;
  try {
    const response = await fetch(`/do/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(wish),
    });
    answer = await response.json();
  } catch {
    answer = { problem: "The studio doesn’t answer. Start it again: dibble studio" };
  }
  if (answer.problem) showProblem(answer.problem);
  return !answer.problem;
}

export async function fetched(address) {
  try {
    const response = await fetch(address);
    if (response.ok) return await response.json();
    showProblem(await response.text());
  } catch {
    showProblem("The studio doesn’t answer. Start it again: dibble studio");
  }
  return null;
}

export function showProblem(text) {
  const box = find("#problem");
  say(box.querySelector("p"), text);
  box.hidden = !text;
  if (text) box.scrollIntoView({ block: "nearest" });
}

// A form's fields as an object, handled once at a time.
export function onSubmit(form, handle) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    form.setAttribute("aria-busy", "true");
    await handle(Object.fromEntries(new FormData(form)), form);
    form.setAttribute("aria-busy", "false");
  });
}
