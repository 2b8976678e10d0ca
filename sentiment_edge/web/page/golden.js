// The self check of index.html?golden: the bundle's golden rows, asked as any text is.
import { ENGINE, readText } from "./files.js";
import { largest, probabilities } from "./numbers.js";

export async function runGolden(manifest, ask) {
  const key = Object.keys(manifest.engines)[0] === ENGINE ? "logits" : `logits_${ENGINE}`;
  const rows = (await readText("golden.jsonl")).split("\n").filter(Boolean).map(line => JSON.parse(line));
  const counts = { rows: rows.length, ids_wrong: 0, labels_wrong: 0 };
  const result = { ...counts, logit_difference: 0, max_drift: 0, mean_drift: 0, milliseconds: 0, wrong: [] };
  const times = [];
  for (const { text, ids, [key]: expected } of rows) {
    const answer = await ask(text);
    const sameIds = ids.length === answer.ids.length && ids.every((id, place) => id === answer.ids[place]);
    const sameLabel = largest(answer.logits) === largest(expected);
    const drift = furthest(...[expected, answer.logits].map(logits => probabilities(logits, manifest.activation)));
    result.ids_wrong += !sameIds;
    result.labels_wrong += !sameLabel;
    result.logit_difference = Math.max(result.logit_difference, furthest(expected, answer.logits));
    result.max_drift = Math.max(result.max_drift, drift);
    result.mean_drift += drift / rows.length;
    if (!(sameIds && sameLabel)) result.wrong.push(text);
    times.push(answer.milliseconds);
  }
  times.sort((one, other) => one - other);
  result.milliseconds = times[times.length >> 1];
  return result;
}

function furthest(some, others) {
  return Math.max(...some.map((each, index) => Math.abs(each - others[index])));
}
