// node predict.mjs BUNDLE < lines: the label of each line and its score, with a tab between them.
import { main } from "./bundle.mjs";

const TOGETHER = 64; // lines that are read before they are answered

async function* linesOf(stream) {
  let rest = "";
  for await (const part of stream.setEncoding("utf8")) {
    const lines = (rest + part).split("\n"); // only there: U+2028 and others are part of a text
    rest = lines.pop();
    yield* lines;
  }
  if (rest) yield rest;
}

await main(async (bundle) => {
  let waiting = [];
  async function answer() {
    const found = await bundle.classify(waiting);
    process.stdout.write(found.map(({ label, score }) => `${label}\t${score.toFixed(4)}\n`).join(""));
    waiting = [];
  }
  for await (const line of linesOf(process.stdin)) {
    waiting.push(line.replace(/\r$/, ""));
    if (waiting.length === TOGETHER) await answer();
  }
  if (waiting.length) await answer();
});
