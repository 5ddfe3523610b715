// The page's side of the engine: a worker made from text that stands in the page, so that it also
// works from a folder and asks no host for anything.
class Engine {
  constructor() {
    const source = document.getElementById("worker-source").textContent;
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    this.worker = new Worker(address);
    this.waiting = new Map();
    this.number = 0;
    this.worker.onmessage = ({ data: { id, answer, error } }) => {
      const { resolve, reject } = this.waiting.get(id);
      this.waiting.delete(id);
      if (error === undefined) resolve(answer); else reject(new Error(error));
    };
    const { engine, filters } = Engine.given;
    this.ready = this.ask("start", { engine: bytesOf(engine), filters });
    this.loading = {};
  }

  ask(ask, given = {}, moved = []) {
    return new Promise((resolve, reject) => {
      const id = this.number++;
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, ask, given }, moved);
    });
  }

  // Opens a network; its weights are a script of their own, which is read when it is first wanted.
  load(model) {
    return this.loading[model] ??= script(`weights/${model}.js`).then(async () => {
      await this.ready;
      this.about = { ...this.about, [model]: Engine.weights[model].about };
      const sizes = await this.ask("load", Engine.weights[model]);
      delete Engine.weights[model].numbers;
      return sizes;
    });
  }
}
Engine.given = null; // the engine and the mel filters: given.js
Engine.weights = {}; // by network: weights/*.js

// Reads a classic script: the one way to more data that also works from a folder.
function script(address) {
  return new Promise((resolve, reject) => {
    const node = document.createElement("script");
    node.src = address;
    node.onload = resolve;
    node.onerror = () => reject(new Error(`The file ${address} of this page cannot be read; reload the page.`));
    document.head.append(node);
  });
}
