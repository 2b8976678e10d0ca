// The model, beside the page: whatever it does, typing stays smooth.
import { openModel } from "./model.js";

const opened = openModel();
opened.then(
  ({ manifest }) => postMessage({ manifest }),
  error => postMessage({ error: error.message }),
);

addEventListener("message", async ({ data: { number, text } }) => {
  try {
    const { answer } = await opened;
    postMessage({ number, answer: await answer(text) });
  } catch (error) {
    postMessage({ number, error: error.message });
  }
});
