// The decision, large: what, whether to trust it, how clear it is, and why.
import { find, keep, make, say } from "./dom.js";

export function showDecision(decision) {
  const box = find("#decision");
  if (!box.firstChild) {
    box.append(make("p", { class: "class" }), make("p", { class: "trust" }),
      make("meter", { min: 0, "aria-label": "how clear the decision is" }), make("ul", { class: "why" }), make("p", { class: "quiet" }));
  }
  const [name, trust, meter, why, when] = box.children;
  box.dataset.trust = decision.trust;
  say(name, decision.title);
  say(trust, decision.trust_words);
  trust.hidden = !decision.trust_words;
  meter.hidden = decision.margin === null;
  meter.max = decision.margin_top ?? 1;
  meter.value = decision.margin ?? 0;
  keep(why, decision.why, (text) => text, () => make("li"), say);
  say(when, decision.when);
}

export function showEvents(events) {
  find("#events-title").hidden = !events.length;
  keep(find("#events"), events, (event) => event.number, () => make("li"), (row, event) => say(row, event.text));
}
