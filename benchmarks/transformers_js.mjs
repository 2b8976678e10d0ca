// A bundle under transformers.js: reads lines on stdin, prints {"text", "label", "score"} for each, to compare with `predict`.
//
// Set-up, in a folder of its own (the variable leaves out CUDA, which the install step would download):
//     ONNXRUNTIME_NODE_INSTALL=skip npm install @huggingface/transformers
// Then, in that folder, BUNDLE being one that `export` wrote (dtype q8 with --int8, else fp32):
//     node REPOSITORY/benchmarks/transformers_js.mjs BUNDLE q8 < lines.txt > transformers_js.jsonl
//     sentiment-edge predict BUNDLE --format jsonl < lines.txt > predict.jsonl
// Line for line, labels are equal and scores within 1e-6; not so for a text that is cut, as transformers.js then drops its [SEP] too.

import { createRequire } from "node:module";
import { resolve } from "node:path";
import { createInterface } from "node:readline";

const [bundle, dtype] = process.argv.slice(2);
if (!bundle || !["q8", "fp32"].includes(dtype)) {
  console.error("usage: node transformers_js.mjs BUNDLE q8|fp32 < lines.txt");
  process.exit(2);
}

// From the current folder: a bare import would look beside this file only.
const { env, pipeline } = createRequire(resolve("package.json"))("@huggingface/transformers");
env.allowRemoteModels = false;

const classifier = await pipeline("text-classification", resolve(bundle), { dtype, local_files_only: true });
for await (const text of createInterface({ input: process.stdin })) {
  const [{ label, score }] = text.trim() ? await classifier(text) : [{ label: null, score: null }]; // as `predict` does
  console.log(JSON.stringify({ text, label, score }));
}
