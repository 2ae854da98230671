/** @file The few kinds of protobuf field that an ONNX model needs, written into a list of byte chunks. */

export class Message {
  private readonly chunks: Uint8Array[] = [];
  private byteLength = 0;

  varint(field: number, value: number | bigint): void {
    this.push(encodeVarint(field << 3));
    this.push(encodeVarint(value));
  }

  float(field: number, value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.push(encodeVarint((field << 3) | 5));
    this.push(bytes);
  }

  bytes(field: number, value: Uint8Array): void {
    this.push(encodeVarint((field << 3) | 2));
    this.push(encodeVarint(value.length));
    this.push(value);
  }

  string(field: number, value: string): void {
    this.bytes(field, utf8(value));
  }

  message(field: number, value: Message): void {
    this.push(encodeVarint((field << 3) | 2));
    this.push(encodeVarint(value.byteLength));
    for (const chunk of value.chunks) this.push(chunk);
  }

  finish(): Uint8Array {
    const whole = new Uint8Array(this.byteLength);
    let offset = 0;
    for (const chunk of this.chunks) {
      whole.set(chunk, offset);
      offset += chunk.length;
    }
    return whole;
  }

  private push(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.byteLength += chunk.length;
  }
}

/** Most numbers of a model fit into one byte, and a graph has tens of thousands of them. */
const singleBytes = Array.from({ length: 128 }, (_, value) => Uint8Array.of(value));

function encodeVarint(value: number | bigint): Uint8Array {
  const single = singleBytes[Number(value)];
  if (single !== undefined) return single;
  const bytes: number[] = [];
  let rest = typeof value === 'number' && value >= 0 && value < 2 ** 31 ? value : BigInt.asUintN(64, BigInt(value));
  for (; typeof rest === 'bigint' && rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  let low = Number(rest);
  for (; low > 127; low >>>= 7) bytes.push((low & 127) | 128);
  bytes.push(low);
  return Uint8Array.from(bytes);
}

/** TextEncoder is not part of the language, and core/ uses nothing else. */
function utf8(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return utf8Escaped(text);
    bytes[i] = code;
  }
  return bytes;
}

function utf8Escaped(text: string): Uint8Array {
  const escaped = encodeURIComponent(text).replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Uint8Array.from(escaped, (character) => character.charCodeAt(0));
}
