// The compiled engine and the arrays that it works on, which lie in its own memory.
class Memory {
  // Made once; arrays are never given back, as each stage has its own and keeps it.
  constructor(exports) {
    this.engine = exports;
    this.end = exports.__heap_base.value;
  }

  static async open(module) {
    const { instance } = await WebAssembly.instantiate(module);
    return new Memory(instance.exports);
  }

  // An array of `count` zeros. Its `values` are asked for anew at each use: growing moves them.
  take(Type, count) {
    const at = (this.end + 15) & ~15, { memory } = this.engine;
    this.end = at + count * Type.BYTES_PER_ELEMENT + 16; // vectors are read a little beyond
    const missing = this.end - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / 65536));
    return { at, get values() { return new Type(memory.buffer, at, count); } };
  }

  filled(Type, numbers) {
    const place = this.take(Type, numbers.length);
    place.values.set(numbers);
    return place;
  }
}
