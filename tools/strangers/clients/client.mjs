// Asks by Node's fetch and http, over new connections and kept ones: node client.mjs URL BODY

import http from "node:http";

const [url, body] = process.argv.slice(2);
const address = `${url}/predict`;
const headers = { "Content-Type": "application/json" };

function say(form, status, text) {
  console.log(JSON.stringify({ form: `node ${form}`, status, answer: JSON.parse(text) }));
}

async function fetched(form, options) {
  const answer = await fetch(address, { method: "POST", headers, body, ...options });
  say(form, answer.status, await answer.text());
}

function requested(form, agent, pieces) {
  return new Promise((resolve, reject) => {
    const request = http.request(address, { method: "POST", headers, agent }, answer => {
      let text = "";
      answer.setEncoding("utf8").on("data", data => { text += data; }).on("end", () => {
        say(form, answer.statusCode, text);
        resolve();
      });
    });
    request.on("error", reject);
    for (const piece of pieces) request.write(piece);
    request.end();
  });
}

await fetched("fetch", {});
await fetched("fetch of a stream", { body: new Blob([body]).stream(), duplex: "half" });
await Promise.all(Array.from({ length: 20 }, () => fetched("fetch, 20 at once", {})));
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
for (const _ of [1, 2, 3]) await requested("http, kept", agent, [body]);
await requested("http, in chunks", agent, [...body]);
agent.destroy();
