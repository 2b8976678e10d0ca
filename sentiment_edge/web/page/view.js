// What the page shows of an answer. Texts and labels become text nodes, never markup.
import { MOST_CHARACTERS } from "./tokens.js";

const SHOWN_UNREAD = 2000; // characters
const MOST_ROWS = 512;

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function describe(manifest) {
  const { source, family, precision, max_length: most } = manifest;
  const name = source?.id ? `${source.id} (${family}, ${precision})` : `${family}, ${precision}`;
  return `Model: ${name}, which reads up to ${most} tokens.`;
}

export function show(result, text, answer) {
  result.querySelector("h2").textContent = `${answer.label} ${probability(answer)}`;
  result.querySelector(".scores").replaceChildren(scores(answer));
  result.querySelector(".attention").replaceChildren(...(answer.tokens ? attention(text, answer) : []));
  result.querySelector("#note").textContent = notes(text, answer).join(" ");
  result.hidden = false;
}

function probability({ label, scores: all }) {
  return all.find(([name]) => name === label)[1].toFixed(4);
}

function scores(answer) {
  const rows = answer.scores.map(([label, score]) => {
    const meter = element("meter", { value: score });
    meter.setAttribute("aria-label", label);
    return element("tr", {}, element("td", {}, label), element("td", {}, meter), element("td", {}, score.toFixed(4)));
  });
  return element("table", {}, ...rows);
}

function attention(text, { tokens, truncated }) {
  const peak = Math.max(...tokens.map(token => token.weight), Number.MIN_VALUE);
  const placed = tokens.every(token => token.special || token.start !== null);
  const shaded = placed ? inText(text, tokens, peak, truncated) : inARow(tokens, peak);
  return [element("p", { className: "text" }, ...shaded), weights(tokens)];
}

function inText(text, tokens, peak, truncated) {
  const pieces = [];
  let position = 0;
  for (const token of tokens) {
    if (token.special) {
      pieces.push(span(token.token, token, peak, "token special"));
      continue;
    }
    if (token.start > position) pieces.push(text.slice(position, token.start));
    pieces.push(span(text.slice(Math.max(position, token.start), token.end), token, peak, "token"));
    position = Math.max(position, token.end);
  }
  const rest = text.slice(position, position + SHOWN_UNREAD) + (text.length > position + SHOWN_UNREAD ? " …" : "");
  pieces.push(truncated ? element("span", { className: "unread" }, rest) : rest);
  return pieces;
}

function inARow(tokens, peak) {
  return tokens.map(token => span(token.token, token, peak, token.special ? "token special" : "token apart"));
}

function span(shown, token, peak, className) {
  const made = element("span", { className, title: `${token.token}: ${token.weight.toFixed(4)}` }, shown);
  made.style.setProperty("--share", Math.max(0, token.weight / peak).toFixed(3));
  return made;
}

function weights(tokens) {
  const rows = tokens
    .slice(0, MOST_ROWS)
    .map(token => element("tr", {}, element("td", {}, token.token), element("td", {}, token.weight.toFixed(4))));
  const head = element("thead", {}, element("tr", {}, element("th", {}, "token"), element("th", {}, "attention")));
  const table = element("table", {}, head, element("tbody", {}, ...rows));
  return element("details", {}, element("summary", {}, "Attention of each token"), table);
}

function notes(text, { tokens, truncated, most, milliseconds }) {
  const lines = [];
  if (tokens) lines.push("The stronger the colour, the more attention a token got.");
  if (truncated) lines.push(`The end was not read: the model reads ${most} tokens.`);
  if (text.length > MOST_CHARACTERS) {
    lines.push(`A text may have ${MOST_CHARACTERS.toLocaleString("en")} characters here; the rest was not read.`);
  }
  lines.push(`${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`);
  return lines;
}
