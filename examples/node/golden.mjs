// node golden.mjs BUNDLE [ROWS]: prove this port by the bundle's golden outputs, ROWS texts at a time (1 without it).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { main } from "./bundle.mjs";

const best = (logits) => logits.indexOf(Math.max(...logits));

await main(async (bundle, together = "1") => {
  const rows = Number(together);
  if (!(Number.isInteger(rows) && rows > 0)) throw new Error(`${together} is not a number of texts`);
  const file = readFileSync(join(process.argv[2], "golden.jsonl"), "utf8");
  const golden = file.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  const key = Object.keys(bundle.manifest.engines)[0] === "onnxruntime" ? "logits" : "logits_onnxruntime";
  const result = { rows: golden.length, ids_wrong: 0, labels_wrong: 0, largest_difference: 0, seconds: 0, peak_mb: 0 };
  if (!golden[0]?.ids) throw new Error("golden.jsonl has no ids: export the bundle again");
  for (let start = 0; start < golden.length; start += rows) {
    const wanted = golden.slice(start, start + rows);
    const began = performance.now();
    const ids = wanted.map(({ text }) => bundle.ids(text));
    const found = await bundle.logits(ids);
    result.seconds += (performance.now() - began) / 1000;
    wanted.forEach((row, index) => {
      const differences = row[key].map((each, label) => Math.abs(each - found[index][label]));
      result.ids_wrong += ids[index].join() !== row.ids.join();
      result.labels_wrong += best(found[index]) !== best(row[key]);
      result.largest_difference = Math.max(result.largest_difference, ...differences);
    });
  }
  result.peak_mb = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify(result));
});
