// Where a page is opened from a folder, browsers refuse to start a worker. This one runs in a frame, and is spoken to in the same way.
"use strict";

if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    #inside;

    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.srcdoc = "<!doctype html>";
      this.#inside = new Promise((loaded) => {
        frame.addEventListener("load", () => {
          const inside = frame.contentWindow;
          const script = inside.document.createElement("script");
          inside.postMessage = (data) => this.#tell(data);
          script.src = new URL(url, document.baseURI).href;
          script.addEventListener("load", () => loaded(inside));
          inside.document.head.append(script);
        }, { once: true });
      });
      const add = () => document.body.append(frame);
      if (document.body) add();
      else document.addEventListener("DOMContentLoaded", add);
    }

    #tell(data) {
      const event = new MessageEvent("message", { data: structuredClone(data) });
      this.onmessage?.(event);
      this.dispatchEvent(event);
    }

    async postMessage(data) {
      const inside = await this.#inside;
      inside.dispatchEvent(new inside.MessageEvent("message", { data: structuredClone(data) }));
    }

    async terminate() {
      (await this.#inside).frameElement.remove();
    }
  };
}
