// What the pages do with the document, in few words. Text goes in as text, never as HTML.

export const find = (id) => document.getElementById(id);

// A new element: its properties, then its children, elements or text.
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// Choices for a <select>, from { value: text }.
export function choose(select, choices, chosen) {
  select.replaceChildren(...Object.entries(choices).map(([value, text]) => make("option", { value }, text)));
  if (chosen in choices) select.value = chosen;
}

// Say how the connection is: a word for the colour, and a sentence.
export function showState(element, state, why = "") {
  const says = { connecting: "connecting …", open: "connected", waiting: "connection lost, trying again", gone: "the position is gone" };
  element.dataset.state = state;
  element.textContent = [says[state] ?? state, why].filter(Boolean).join(": ");
}

// Links to other pages keep the token with which this one was asked for.
const token = new URLSearchParams(location.search).get("access_token");
if (token) {
  for (const link of document.querySelectorAll('a[href^="/"]')) {
    link.search = new URLSearchParams({ access_token: token });
  }
}
