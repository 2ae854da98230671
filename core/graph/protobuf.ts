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

function encodeVarint(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** TextEncoder is not part of the language, and core/ uses nothing else. */
function utf8(text: string): Uint8Array {
  const escaped = encodeURIComponent(text).replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Uint8Array.from(escaped, (character) => character.charCodeAt(0));
}
