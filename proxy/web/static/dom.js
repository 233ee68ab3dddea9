// Elements, made by hand: whatever came from elsewhere is set as text, never parsed as HTML.

export const $ = (id) => document.getElementById(id);

/** An element with attributes and children; strings become text nodes, null and false are left out. */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== false && value !== undefined) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== false && child !== undefined));
  return made;
}

/** The same in SVG. */
export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

/** Sets text only where it is another: what is read aloud is not read again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** `name` and `value` pairs in a `dl`. */
export function facts(list, pairs) {
  list.replaceChildren(...pairs.filter(Boolean).map(([name, ...value]) => el("div", {}, el("dt", {}, name), el("dd", {}, ...value))));
}

/** A text with a button that copies it. */
export function copied(text, label) {
  const button = el("button", { type: "button", class: "quiet copy", "aria-label": `Copy ${label}` }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select it";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  return el("div", { class: "code" }, el("pre", { tabindex: "0", role: "region", "aria-label": label }, el("code", {}, text)), button);
}
