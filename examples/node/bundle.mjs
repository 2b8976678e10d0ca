// A bundle, run as docs/bundle-format.md describes under "In another language".
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import * as ort from "onnxruntime-node";

const NEWEST = 2; // the last format_version that this file knows
const ROWS = 16; // texts that run together, where the bundle allows it

export class Bundle {
  static async open(folder) {
    const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
    const version = manifest.format_version;
    if (!Number.isInteger(version)) throw new Error("the manifest has no format_version");
    if (version > NEWEST) throw new Error(`format_version ${version} is newer than this program, which knows ${NEWEST} at most`);
    if (!manifest.special_tokens || !manifest.models?.onnxruntime) {
      throw new Error("the manifest has no special_tokens or no models.onnxruntime: export the bundle again");
    }
    // No settings beside tokenizer.json: those in tokenizer_config.json are for other programs.
    const tokenizer = new Tokenizer(JSON.parse(readFileSync(join(folder, "tokenizer.json"), "utf8")), {});
    const session = await ort.InferenceSession.create(join(folder, manifest.engines.onnxruntime), {
      executionProviders: ["cpu"],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      enableCpuMemArena: false, // an arena keeps the memory of the largest batch for good
      enableMemPattern: false,
      extra: manifest.models.onnxruntime.settings, // they change answers
    });
    return Object.assign(new Bundle(), { manifest, tokenizer, session });
  }

  /** The tokens of a text as the model reads them: truncated, not padded. */
  ids(text) {
    const { special_tokens: { before, after }, max_length, truncation } = this.manifest;
    const whole = text.replace(/\p{Surrogate}/gu, "?"); // half a character, which tokenizers cannot read
    const own = this.tokenizer.encode(whole, { add_special_tokens: false }).ids;
    const room = truncation === "plain" ? max_length : max_length - after.length;
    const ids = [...before, ...own];
    return (ids.length > room ? [...ids.slice(0, room), ...after] : [...ids, ...after]).slice(0, max_length);
  }

  /** The logits of texts, each given as its ids. */
  async logits(texts) {
    const answers = [];
    for (const members of this.#batches(texts)) {
      const found = await this.#run(members.map((index) => texts[index]));
      members.forEach((index, row) => (answers[index] = found[row]));
    }
    return answers;
  }

  probabilities(logits) {
    if (this.manifest.activation === "sigmoid") return logits.map((each) => 1 / (1 + Math.exp(-each)));
    const largest = Math.max(...logits);
    const powers = logits.map((each) => Math.exp(each - largest));
    const sum = powers.reduce((total, each) => total + each);
    return powers.map((each) => each / sum);
  }

  /** The most likely label of each text, and its probability. */
  async classify(texts) {
    const answers = await this.logits(texts.map((text) => this.ids(text)));
    return answers.map((logits) => {
      const scores = this.probabilities(logits);
      const score = Math.max(...scores);
      return { label: this.manifest.labels[scores.indexOf(score)], score };
    });
  }

  /** Indices of the texts that run together: of one length only, where the model must not be padded. */
  #batches(texts) {
    const { padding, batch } = this.manifest;
    const groups = new Map();
    for (const [index, ids] of texts.entries()) {
      const key = padding === "unpadded" ? ids.length : 0;
      groups.set(key, groups.get(key) ?? []).get(key).push(index);
    }
    return [...groups.values()].flatMap((group) => {
      const rows = batch ?? ROWS;
      return Array.from({ length: Math.ceil(group.length / rows) }, (_, part) => group.slice(part * rows, (part + 1) * rows));
    });
  }

  async #run(texts) {
    const { batch, lengths, padding, pad_id, models } = this.manifest;
    const rows = batch ?? texts.length;
    const longest = Math.max(...texts.map((ids) => ids.length));
    if (!longest) throw new Error("the tokenizer finds no token in this text");
    const width = padding === "unpadded" ? longest : lengths.find((length) => length >= longest);
    const ids = new BigInt64Array(rows * width).fill(BigInt(pad_id));
    const mask = new BigInt64Array(rows * width);
    for (let row = 0; row < rows; row++) {
      const own = texts[row] ?? texts[0]; // a model of so many rows, and fewer texts
      ids.set(own.map(BigInt), row * width);
      mask.fill(1n, row * width, row * width + own.length);
    }
    const tensors = { input_ids: ids, attention_mask: mask };
    const given = models.onnxruntime.inputs.map(({ name }) => [name, new ort.Tensor("int64", tensors[name], [rows, width])]);
    const { logits } = await this.session.run(Object.fromEntries(given), ["logits"]);
    const classes = logits.dims[1];
    return texts.map((_, row) => [...logits.data.subarray(row * classes, (row + 1) * classes)]);
  }
}

/** Run a program on the bundle that its first argument names; an error costs one line, and the status is 1. */
export async function main(program) {
  const [folder, ...rest] = process.argv.slice(2);
  process.stdout.on("error", (error) => fail(`output: ${error.message}`));
  try {
    if (!folder) throw new Error("which bundle? Give its folder");
    await program(await Bundle.open(folder), ...rest);
  } catch (error) {
    fail(folder ? `${folder}: ${error.message}` : error.message);
  }
}

function fail(message) {
  console.error(`sentiment: ${message.split("\n")[0]}`);
  process.exit(1);
}
