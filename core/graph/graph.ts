/** @file A tensor graph under construction: values, nodes, initializers, and the record that reverse mode walks back over. */
import type { MacroName, Macros } from './macroTypes.ts';
import type { OperationName, Operations } from './operations.ts';
import type { DType, Initializer, Node, Shape, StoredData, TypedArray, Value } from './types.ts';

/** One differentiable act: a node, or a macro whose nodes are hidden behind one gradient rule. */
export interface Act {
  readonly name: OperationName | MacroName;
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly Value[];
  readonly attributes: object;
}

export interface ValueType {
  readonly dtype: DType;
  readonly shape: Shape;
}

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array,
} as const;

export class Graph {
  readonly inputs: Value[] = [];
  readonly outputs: Value[] = [];
  readonly nodes: Node[] = [];
  readonly initializers: Initializer[] = [];
  readonly acts: Act[] = [];
  /** Prefix of the node names made from now on, for profiles and error messages: `layers.0/`. */
  scope = '';
  private recording = true;
  private count = 0;
  private readonly constants = new Map<string, Value>();

  input(name: string, dtype: DType, shape: Shape): Value {
    const value: Value = { graph: this, name, dtype, shape, origin: 'input' };
    this.inputs.push(value);
    return value;
  }

  initializer(name: string, dtype: DType, shape: Shape, data: TypedArray): Value {
    const size = shape.reduce<number>((product, dim) => product * Number(dim), 1);
    if (data.length !== size) {
      throw new Error(`initializer ${name}: expected ${size} elements for shape [${shape}], got ${data.length}`);
    }
    const value: Value = { graph: this, name, dtype, shape, origin: 'initializer' };
    this.initializers.push({ value, data });
    return value;
  }

  /** Float32 values that stay in their file. */
  storedInitializer(name: string, shape: readonly number[], data: StoredData): Value {
    const byteLength = shape.reduce((product, dim) => product * dim, Float32Array.BYTES_PER_ELEMENT);
    if (data.byteLength !== byteLength) throw new Error(`initializer ${name}: expected ${byteLength} bytes for shape [${shape}], got ${data.byteLength}`);
    const value: Value = { graph: this, name, dtype: 'float32', shape, origin: 'initializer' };
    this.initializers.push({ value, data });
    return value;
  }

  /** A scalar, stored once per graph. */
  constant(value: number, dtype: DType): Value {
    return this.shared(`${dtype} ${value}`, () => {
      const data = new arrays[dtype](1);
      data[0] = dtype === 'int64' ? BigInt(value) : value;
      return this.initializer(this.freshName('constant'), dtype, [], data);
    });
  }

  /** A list of int64, stored once per graph: shapes, axes, sizes. */
  integers(values: readonly number[]): Value {
    return this.shared(`[${values}]`, () =>
      this.initializer(
        this.freshName('integers'),
        'int64',
        [values.length],
        BigInt64Array.from(values, (value) => BigInt(value)),
      ),
    );
  }

  /** Adds one node and answers with its outputs, less those of type null; callers outside core/graph use the functions of ops/, which infer the types. */
  emit<K extends OperationName>(operation: K, inputs: readonly (Value | null)[], attributes: Operations[K], types: readonly (ValueType | null)[]): Value[] {
    const name = this.freshName(this.scope + operation);
    const made = types.map((type, i): Value | null => {
      return type && { graph: this, name: types.length === 1 ? name : `${name}:${i}`, dtype: type.dtype, shape: type.shape, origin: 'node' };
    });
    this.nodes.push({ operation, name, inputs, outputs: made, attributes: attributes as Node['attributes'] });
    const outputs = made.filter((output) => output !== null);
    if (this.recording) this.acts.push({ name: operation, inputs, outputs, attributes });
    return outputs;
  }

  /** Builds nodes that reverse mode sees as one act with the macro's own gradient rule. `attributes` may hold values worth keeping. */
  macro<K extends MacroName>(name: K, inputs: readonly Value[], build: () => { outputs: readonly Value[]; attributes: Macros[K] }): readonly Value[] {
    const { outputs, attributes } = this.unrecorded(build);
    if (this.recording) this.acts.push({ name, inputs, outputs, attributes });
    return outputs;
  }

  /** Nodes made inside are invisible to reverse mode: the gradient stops there. */
  unrecorded<T>(build: () => T): T {
    const before = this.recording;
    this.recording = false;
    try {
      return build();
    } finally {
      this.recording = before;
    }
  }

  /** What was made under this key before, else what `make` makes: constants and tables that many places need. */
  shared(key: string, make: () => Value): Value {
    const found = this.constants.get(key);
    if (found) return found;
    const made = make();
    this.constants.set(key, made);
    return made;
  }

  /** Makes `value` an output with this name. */
  output(name: string, value: Value): void {
    const taken = value.origin !== 'node' || this.outputs.includes(value);
    const named = taken ? (this.emit('Identity', [value], {}, [value])[0] as Value) : value;
    named.name = name;
    this.outputs.push(named);
  }

  private freshName(stem: string): string {
    return `${stem}_${this.count++}`;
  }
}
