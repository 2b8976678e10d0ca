// The tokens of a text as the model reads them, and the places in the text that they stand for.
export const MOST_CHARACTERS = 2 ** 17; // more are not taken: browsers lay out no larger text without a pause
const CHARACTERS_PER_TOKEN = 32;
const GROWTH = 4;
const MARKS = /^(?:##|\u2581|\u0120)/u; // of pieces within a word, or of the space before one
const PASSED_OVER = /[\s\p{C}\p{M}\ufffd]/u;
const WORD_END = /[\s\p{P}\p{S}\p{Script=Han}]/u;

export function wellFormed(text) {
  return text.replace(/\p{Cs}/gu, "?"); // half a surrogate pair
}

// Of a long text only as much is tokenized as determines the tokens that are kept.
export function modelTokens(tokenizer, manifest, text) {
  const { max_length: most, special_tokens: { before, after }, truncation } = manifest;
  const { encoded, read } = encodedPart(tokenizer, most, text);
  const ends = truncation === "plain" ? [] : after;
  const all = [...before, ...encoded.ids, ...after];
  const ids = all.length > most ? [...all.slice(0, most - ends.length), ...ends] : all;
  const own = Math.min(encoded.ids.length, most - before.length - ends.length);
  const pieces = ids.map((id, place) => {
    const index = place - before.length;
    return index >= 0 && index < own ? encoded.tokens[index] : (tokenizer.id_to_token(id) ?? `${id}`);
  });
  const cut = all.length > most && own < encoded.ids.length;
  return { ids, pieces, own: [before.length, before.length + own], truncated: cut || read < text.length };
}

function encodedPart(tokenizer, most, text) {
  for (let size = CHARACTERS_PER_TOKEN * most; ; size *= GROWTH) {
    const limit = Math.min(size, MOST_CHARACTERS);
    const end = text.length <= limit ? text.length : wholeWords(text, limit);
    const encoded = tokenizer.encode(text.slice(0, end), { add_special_tokens: false });
    const settled = encoded.ids.length > most && /\s/u.test(text[end] ?? "");
    if (end === text.length || settled || limit === MOST_CHARACTERS) return { encoded, read: end };
  }
}

// The place of the last white space before a limit; where there is none, a place between characters.
function wholeWords(text, limit) {
  for (let place = limit; place > limit / 2; place--) if (/\s/u.test(text[place])) return place;
  return /[\ud800-\udbff]/.test(text[limit - 1]) ? limit - 1 : limit;
}

// Each token with its place in the text; all places are null where the tokenizer changed the text too much to tell.
export function placeTokens(text, pieces, [first, end]) {
  const source = folded(text.slice(0, CHARACTERS_PER_TOKEN * pieces.length + 1024));
  let position = 0;
  let lost = false;
  const placed = pieces.map((token, index) => {
    if (index < first || index >= end) return { token, special: true, start: null, end: null };
    const place = lost ? null : findToken(source, token, position);
    lost ||= place === null;
    if (place) position = place[1];
    const [start, stop] = place ? [source.starts[place[0]] ?? text.length, source.ends[place[1] - 1] ?? 0] : [null, null];
    return { token, special: false, start, end: start === null ? null : Math.max(start, stop) };
  });
  return lost ? placed.map(token => ({ ...token, start: null, end: null })) : placed;
}

// Text without accents and capitals, with the place in the original of each character.
function folded(text) {
  const characters = [];
  const starts = [];
  const ends = [];
  let place = 0;
  for (const character of text) {
    for (const part of fold(character)) {
      characters.push(part);
      starts.push(place);
      ends.push(place + character.length);
    }
    place += character.length;
  }
  return { characters, starts, ends };
}

function fold(characters) {
  return [...characters.toLowerCase().normalize("NFKD")].filter(each => !/\p{M}/u.test(each));
}

function findToken({ characters }, token, position) {
  let start = position;
  while (start < characters.length && PASSED_OVER.test(characters[start])) start++;
  const wanted = fold(token.replace(MARKS, ""));
  if (wanted.every((character, index) => characters[start + index] === character)) return [start, start + wanted.length];
  if (!/^[[<].*[\]>]$/u.test(token) || start >= characters.length) return null;
  let end = start + 1; // an unknown word
  while (end < characters.length && !WORD_END.test(characters[end])) end++;
  return [start, end];
}
