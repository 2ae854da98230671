/** @file A model's tensors as values of a graph: fed where an optimiser changes them, in their files where they are frozen. */
import type { Graph } from '../graph/graph.ts';
import * as op from '../graph/ops.ts';
import type { Value } from '../graph/types.ts';
import type { ModelConfig, StoredTensor } from './config.ts';
import { adapterShapes, type FrozenBase, isFactorB, loraScale } from './lora.ts';
import { inLayer, layerOf, tensorShapes } from './tensorNames.ts';
import type { Parameters } from './transformer.ts';

export interface GraphParameters {
  /** What the model is computed with. */
  readonly parameters: Parameters;
  /** Inputs, by the names of `trainedShapes`: what gradients are taken to. */
  readonly trained: Parameters;
}

/** Of the tensors that are `wanted`; default all. */
export function graphParameters(graph: Graph, config: ModelConfig, base: FrozenBase | null, wanted: (name: string) => boolean = () => true): GraphParameters {
  const shapes = chosen(tensorShapes(config), wanted);
  if (base === null) {
    const trained = inputsOf(graph, shapes);
    return { parameters: trained, trained };
  }
  const trained = inputsOf(graph, chosen(adapterShapes(config, base.lora), wanted));
  return { parameters: new Map([...frozenValues(graph, shapes, base), ...factors(trained, base)]), trained };
}

/** The tensors of one layer under the names of layer 0, frozen ones as inputs too: a graph of them serves every layer. */
export function layerParameters(graph: Graph, config: ModelConfig, base: FrozenBase | null, layer: number): GraphParameters {
  const inputs = (shapes: Shapes) => inputsOf(graph, new Map(Array.from(ofLayer(shapes, layer), ([name, shape]) => [inLayer(name, 0), shape])));
  const model = inputs(tensorShapes(config));
  if (base === null) return { parameters: model, trained: model };
  const trained = inputs(adapterShapes(config, base.lora));
  return { parameters: new Map([...model, ...factors(trained, base)]), trained };
}

type Shapes = ReadonlyMap<string, readonly number[]>;

/** Those of one layer, under their own names. */
export function ofLayer(shapes: Shapes, layer: number): Shapes {
  return chosen(shapes, (name) => layerOf(name) === layer);
}

function chosen(shapes: Shapes, wanted: (name: string) => boolean): Shapes {
  return new Map([...shapes].filter(([name]) => wanted(name)));
}

function inputsOf(graph: Graph, shapes: Shapes): Parameters {
  return new Map(Array.from(shapes, ([name, shape]) => [name, graph.input(name, 'float32', shape)]));
}

function frozenValues(graph: Graph, shapes: Shapes, { tensors }: FrozenBase): Parameters {
  return new Map(Array.from(shapes, ([name, shape]) => [name, storedValue(graph, name, shape, tensors.get(name))]));
}

function storedValue(graph: Graph, name: string, shape: readonly number[], stored: StoredTensor | undefined): Value {
  if (stored === undefined) throw new Error(`frozen weights: expected a tensor ${name} of shape [${shape}], found none`);
  const byteLength = stored.shape.reduce((product, dim) => product * dim, Float32Array.BYTES_PER_ELEMENT);
  return graph.storedInitializer(name, shape, { location: stored.location, offset: stored.offset, byteLength });
}

/** A as it is, B times the scale: what is small is multiplied, and the gradient of B gets the scale by itself. */
function factors(trained: Parameters, { lora }: FrozenBase): Parameters {
  const scaled = (name: string, value: Value) => (isFactorB(name) ? op.mul(value, loraScale(lora)) : value);
  return new Map(Array.from(trained, ([name, value]) => [name, scaled(name, value)]));
}
