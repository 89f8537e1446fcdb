/**
 * A reader of Python's pickles (protocols 2 to 5) as data: it runs nothing, imports nothing and knows no class. What a
 * pickle wants called is handed to `Handlers`, which decide by name.
 * https://github.com/python/cpython/blob/main/Lib/pickletools.py
 */

/** A function or class by its name. */
export class PickleGlobal {
  constructor(readonly name: string) {}
}

export class PickleTuple {
  constructor(readonly items: readonly unknown[]) {}
}

/** Values are numbers, bigint, strings, booleans, null, bytes, arrays, maps, sets, tuples, globals and what handlers return. */
export interface Handlers {
  /** The result of calling `callee`. @throws Error to refuse */
  call(callee: PickleGlobal, args: readonly unknown[]): unknown;
  /** What a persistent id stands for. @throws Error to refuse */
  persistent(id: unknown): unknown;
  /** Told of every global before it is used. @throws Error to refuse */
  global(name: string): void;
}

/** Longest integer, in bytes: nothing in a tensor file is longer. */
const MAX_INTEGER_BYTES = 16;
const MARK = Symbol('mark');

/** @throws Error with what is wrong; nothing of the pickle was run */
export function readPickle(bytes: Uint8Array, handlers: Handlers): unknown {
  return new PickleMachine(bytes, handlers).run();
}

class PickleMachine {
  private readonly view: DataView;
  private position = 0;
  private readonly stack: unknown[] = [];
  private readonly memo = new Map<number, unknown>();

  constructor(
    private readonly bytes: Uint8Array,
    private readonly handlers: Handlers,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): unknown {
    for (;;) {
      const code = this.uint8();
      if (code === 0x2e) {
        return this.pop();
      }
      const operation = operations[code];
      if (operation === undefined) {
        throw new Error(`the pickle has the unknown instruction 0x${code.toString(16)}`);
      }
      operation(this);
    }
  }

  skip(bytes: number): number {
    const start = this.position;
    if (!(bytes >= 0) || start + bytes > this.bytes.length) {
      throw new Error('the pickle ends too early');
    }
    this.position += bytes;
    return start;
  }

  uint8 = (): number => this.view.getUint8(this.skip(1));
  uint16 = (): number => this.view.getUint16(this.skip(2), true);
  int32 = (): number => this.view.getInt32(this.skip(4), true);
  uint32 = (): number => this.view.getUint32(this.skip(4), true);
  uint64 = (): number => Number(this.view.getBigUint64(this.skip(8), true));
  float64 = (): number => this.view.getFloat64(this.skip(8));

  slice(bytes: number): Uint8Array {
    const start = this.skip(bytes);
    return this.bytes.subarray(start, start + bytes);
  }

  text(bytes: number): string {
    return Buffer.from(this.slice(bytes)).toString('utf8');
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.position);
    const text = this.text(end < 0 ? Infinity : end - this.position);
    this.skip(1);
    return text;
  }

  /** A little-endian integer in two's complement. */
  integer(bytes: number): number | bigint {
    if (bytes > MAX_INTEGER_BYTES) {
      throw new Error(`the pickle has an integer of ${bytes} bytes`);
    }
    let value = 0n;
    this.slice(bytes).forEach((byte, index) => {
      value |= BigInt(byte) << BigInt(8 * index);
    });
    const signed = BigInt.asIntN(Math.max(1, 8 * bytes), value);
    const small = Number(signed);
    return Number.isSafeInteger(small) ? small : signed;
  }

  push(value: unknown): void {
    this.stack.push(value);
  }

  pop(): unknown {
    if (this.stack.length === 0) {
      throw new Error('the pickle takes more from its stack than there is');
    }
    return this.stack.pop();
  }

  top(): unknown {
    const value = this.pop();
    this.push(value);
    return value;
  }

  mark(): void {
    this.push(MARK);
  }

  /** What was pushed since the last mark. */
  popToMark(): unknown[] {
    const at = this.stack.lastIndexOf(MARK);
    if (at < 0) {
      throw new Error('the pickle looks for a mark that is not there');
    }
    const items = this.stack.splice(at).slice(1);
    return items;
  }

  popTuple(count: number): void {
    const items = Array.from({ length: count }, () => this.pop()).reverse();
    this.push(new PickleTuple(items));
  }

  put(index: number): void {
    this.memo.set(index, this.top());
  }

  memoize(): void {
    this.put(this.memo.size);
  }

  get(index: number): void {
    if (!this.memo.has(index)) {
      throw new Error('the pickle asks for a value that it has not kept');
    }
    this.push(this.memo.get(index));
  }

  append(items: readonly unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list)) {
      throw new Error('the pickle appends to what is no list');
    }
    for (const item of items) {
      list.push(item);
    }
  }

  setItems(items: readonly unknown[]): void {
    const map = this.top();
    if (!(map instanceof Map) || items.length % 2 !== 0) {
      throw new Error('the pickle sets items of what is no dictionary');
    }
    for (let index = 0; index < items.length; index += 2) {
      map.set(items[index], items[index + 1]);
    }
  }

  addItems(items: readonly unknown[]): void {
    const set = this.top();
    if (!(set instanceof Set)) {
      throw new Error('the pickle adds to what is no set');
    }
    for (const item of items) {
      set.add(item);
    }
  }

  global(module: unknown, name: unknown): void {
    if (typeof module !== 'string' || typeof name !== 'string') {
      throw new Error('the pickle names a global by what is no text');
    }
    const full = `${module}.${name}`;
    this.handlers.global(full);
    this.push(new PickleGlobal(full));
  }

  call(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!(callee instanceof PickleGlobal) || !(args instanceof PickleTuple)) {
      throw new Error('the pickle calls what is no function');
    }
    this.push(this.handlers.call(callee, args.items));
  }

  /** A dictionary's attributes, such as a state dict's versions, are of no use here; nothing else has any. */
  build(): void {
    this.pop();
    if (!(this.top() instanceof Map)) {
      throw new Error('the pickle sets the state of what is no dictionary');
    }
  }

  persistent(): void {
    this.push(this.handlers.persistent(this.pop()));
  }
}

/** By opcode. */
const operations: Readonly<Record<number, (machine: PickleMachine) => void>> = {
  [0x80]: (m) => m.skip(1), // PROTO
  [0x95]: (m) => m.skip(8), // FRAME
  [0x28]: (m) => m.mark(), // MARK
  [0x30]: (m) => m.pop(), // POP
  [0x31]: (m) => m.popToMark(), // POP_MARK
  [0x32]: (m) => m.push(m.top()), // DUP
  [0x4e]: (m) => m.push(null), // NONE
  [0x88]: (m) => m.push(true), // NEWTRUE
  [0x89]: (m) => m.push(false), // NEWFALSE
  [0x4a]: (m) => m.push(m.int32()), // BININT
  [0x4b]: (m) => m.push(m.uint8()), // BININT1
  [0x4d]: (m) => m.push(m.uint16()), // BININT2
  [0x8a]: (m) => m.push(m.integer(m.uint8())), // LONG1
  [0x8b]: (m) => m.push(m.integer(m.uint32())), // LONG4
  [0x47]: (m) => m.push(m.float64()), // BINFLOAT
  [0x58]: (m) => m.push(m.text(m.uint32())), // BINUNICODE
  [0x8c]: (m) => m.push(m.text(m.uint8())), // SHORT_BINUNICODE
  [0x8d]: (m) => m.push(m.text(m.uint64())), // BINUNICODE8
  [0x54]: (m) => m.push(m.text(m.uint32())), // BINSTRING
  [0x55]: (m) => m.push(m.text(m.uint8())), // SHORT_BINSTRING
  [0x42]: (m) => m.push(m.slice(m.uint32())), // BINBYTES
  [0x43]: (m) => m.push(m.slice(m.uint8())), // SHORT_BINBYTES
  [0x8e]: (m) => m.push(m.slice(m.uint64())), // BINBYTES8
  [0x7d]: (m) => m.push(new Map()), // EMPTY_DICT
  [0x5d]: (m) => m.push([]), // EMPTY_LIST
  [0x8f]: (m) => m.push(new Set()), // EMPTY_SET
  [0x29]: (m) => m.popTuple(0), // EMPTY_TUPLE
  [0x85]: (m) => m.popTuple(1), // TUPLE1
  [0x86]: (m) => m.popTuple(2), // TUPLE2
  [0x87]: (m) => m.popTuple(3), // TUPLE3
  [0x74]: (m) => m.push(new PickleTuple(m.popToMark())), // TUPLE
  [0x6c]: (m) => m.push(m.popToMark()), // LIST
  [0x61]: (m) => m.append([m.pop()]), // APPEND
  [0x65]: (m) => m.append(m.popToMark()), // APPENDS
  [0x73]: (m) => {
    const value = m.pop();
    m.setItems([m.pop(), value]);
  }, // SETITEM
  [0x75]: (m) => m.setItems(m.popToMark()), // SETITEMS
  [0x90]: (m) => m.addItems(m.popToMark()), // ADDITEMS
  [0x71]: (m) => m.put(m.uint8()), // BINPUT
  [0x72]: (m) => m.put(m.uint32()), // LONG_BINPUT
  [0x94]: (m) => m.memoize(), // MEMOIZE
  [0x68]: (m) => m.get(m.uint8()), // BINGET
  [0x6a]: (m) => m.get(m.uint32()), // LONG_BINGET
  [0x63]: (m) => m.global(m.line(), m.line()), // GLOBAL
  [0x93]: (m) => {
    const name = m.pop();
    m.global(m.pop(), name);
  }, // STACK_GLOBAL
  [0x52]: (m) => m.call(), // REDUCE
  [0x81]: (m) => m.call(), // NEWOBJ
  [0x62]: (m) => m.build(), // BUILD
  [0x51]: (m) => m.persistent(), // BINPERSID
};
