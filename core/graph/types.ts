/** @file Nouns of the tensor graph, in ONNX's own words: dtype, shape, value, node, attribute, initializer. */
import type { Graph } from './graph.ts';
import type { OperationName } from './operations.ts';

export type DType = 'float32' | 'float64' | 'float16' | 'bfloat16' | 'int32' | 'int64' | 'uint8' | 'int8' | 'bool';

/** A number, or the name of a size that is only known when the session runs. */
export type Dim = number | string;
export type Shape = readonly Dim[];

export type TypedArray = Float32Array | Float64Array | Uint16Array | Int32Array | BigInt64Array | Uint8Array | Int8Array;

/** An edge of the graph: made by a node, fed as an input, or stored as an initializer. */
export interface Value {
  readonly graph: Graph;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly origin: 'node' | 'input' | 'initializer';
  /** Changes once at most: when the value becomes a named output. */
  name: string;
}

/** ONNX tells integer from float attributes apart, JavaScript does not: floats are wrapped. */
export interface FloatAttribute {
  readonly float: number;
}

export type Attribute = number | FloatAttribute | string | readonly number[];

export interface Node {
  readonly operation: OperationName;
  readonly name: string;
  /** null is an optional input that is left out. */
  readonly inputs: readonly (Value | null)[];
  /** null is an optional output that is left out. */
  readonly outputs: readonly (Value | null)[];
  readonly attributes: Readonly<Record<string, Attribute | undefined>>;
}

/** Little-endian values in a file beside the model, which ONNX Runtime maps instead of copying. */
export interface StoredData {
  /** Name of the file in the folder that the session is given. */
  readonly location: string;
  readonly offset: number;
  readonly byteLength: number;
}

export interface Initializer {
  readonly value: Value;
  readonly data: TypedArray | StoredData;
}

export const float = (value: number): FloatAttribute => ({ float: value });
