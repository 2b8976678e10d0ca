// A bundle as its manifest describes it: opened once, then asked text by text.
import * as ort from "./libraries/onnxruntime-web.js";
import { Tokenizer } from "./libraries/tokenizers.js";
import { ENGINE, readBytes, readJson, readLibrary } from "./files.js";
import { largest, probabilities } from "./numbers.js";
import { modelTokens, placeTokens, wellFormed } from "./tokens.js";

const NEWEST_FORMAT = 2;
const INPUTS = ["input_ids", "attention_mask"];

export async function openModel() {
  const manifest = await readJson("manifest.json");
  check(manifest);
  const [contents, session] = await Promise.all([readJson("tokenizer.json"), openSession(manifest)]);
  const tokenizer = new Tokenizer(contents, {});
  return { manifest, answer: text => answer(manifest, tokenizer, session, text) };
}

function check(manifest) {
  const version = manifest.format_version;
  if (!Number.isInteger(version)) throw new Error("manifest.json is not that of a bundle.");
  if (version > NEWEST_FORMAT) {
    const problem = `The bundle has format ${version}, newer than ${NEWEST_FORMAT}, the latest that this page knows.`;
    throw new Error(`${problem} Write the page again.`);
  }
  const model = manifest.models?.[ENGINE];
  if (!model || !manifest.special_tokens) throw new Error("The bundle is of an earlier release. Export it again.");
  const unknown = model.inputs.map(input => input.name).filter(name => !INPUTS.includes(name));
  if (unknown.length) throw new Error(`The model takes ${unknown.join(", ")}, which this page does not know.`);
}

async function openSession(manifest) {
  const path = manifest.engines[ENGINE];
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  const beside = Object.keys(manifest.files).filter(name => name.startsWith(folder) && name !== path);
  ort.env.wasm.numThreads = 1; // more need headers that static hosts do not send
  const [binary, model, ...weights] = await Promise.all([
    readLibrary("onnxruntime-web.wasm"),
    ...[path, ...beside].map(readBytes),
  ]);
  ort.env.wasm.wasmBinary = binary;
  try {
    return await ort.InferenceSession.create(model, {
      executionProviders: ["wasm"],
      externalData: weights.map((data, index) => ({ path: beside[index].slice(folder.length), data })),
      extra: nested(manifest.models[ENGINE].settings),
    });
  } catch (error) {
    throw new Error(`The model could not be started: ${firstLine(error)}`);
  }
}

// The library takes settings such as session.x as objects in objects.
function nested(settings) {
  const root = {};
  for (const [name, value] of Object.entries(settings)) {
    const keys = name.split(".");
    const last = keys.pop();
    keys.reduce((level, key) => (level[key] ??= {}), root)[last] = value;
  }
  return root;
}

async function answer(manifest, tokenizer, session, given) {
  const start = performance.now();
  const text = wellFormed(given);
  const { ids, own, pieces, truncated } = modelTokens(tokenizer, manifest, text);
  if (!ids.length) throw new Error("The tokenizer finds no token in this text.");
  const outputs = await run(manifest, session, ids);
  const logits = Array.from(outputs.logits.data.subarray(0, manifest.labels.length));
  const scores = probabilities(logits, manifest.activation);
  if (!scores.every(Number.isFinite)) throw new Error("The model's answer to this text is not a number.");
  const weights = outputs.attention && Array.from(outputs.attention.data.subarray(0, ids.length));
  const milliseconds = performance.now() - start;
  return {
    ids,
    logits,
    scores: manifest.labels.map((label, index) => [label, scores[index]]),
    label: manifest.labels[largest(scores)],
    tokens: weights ? placeTokens(text, pieces, own).map((token, index) => ({ ...token, weight: weights[index] })) : null,
    truncated,
    most: manifest.max_length,
    milliseconds,
  };
}

async function run(manifest, session, ids) {
  const length = paddedLength(manifest, ids.length);
  const rows = manifest.batch ?? 1;
  const row = Array.from({ length }, (_, place) => BigInt(ids[place] ?? manifest.pad_id));
  const mask = row.map((_, place) => (place < ids.length ? 1n : 0n));
  const tensor = values =>
    new ort.Tensor("int64", BigInt64Array.from(Array.from({ length: rows }, () => values).flat()), [rows, length]);
  const feeds = {};
  for (const { name } of manifest.models[ENGINE].inputs) feeds[name] = tensor(name === "input_ids" ? row : mask);
  try {
    return await session.run(feeds);
  } catch (error) {
    throw new Error(`The model failed on this text: ${firstLine(error)}`);
  }
}

// Invisible padding is left out where any length is taken.
function paddedLength({ padding, lengths }, count) {
  if (padding === "unpadded" || (padding === "packed" && lengths.length > 1)) return count;
  return lengths.find(length => length >= count);
}

function firstLine(error) {
  return String(error.message ?? error).split("\n")[0].slice(0, 300);
}
