/** @file A model's tensors as values of a graph: fed where an optimiser changes them, in their files where they are frozen. */
import type { Graph } from '../graph/graph.ts';
import * as op from '../graph/ops.ts';
import type { Value } from '../graph/types.ts';
import type { ModelConfig, StoredTensor } from './config.ts';
import { adaptedWeights, adapterShapes, type FrozenBase, factorNames, loraScale } from './lora.ts';
import { tensorShapes } from './tensorNames.ts';
import type { Parameters } from './transformer.ts';

export interface GraphParameters {
  /** What the model is computed with. */
  readonly parameters: Parameters;
  /** Inputs, by the names of `trainedShapes`: what gradients are taken to. */
  readonly trained: Parameters;
}

export function graphParameters(graph: Graph, config: ModelConfig, base: FrozenBase | null): GraphParameters {
  if (base === null) {
    const trained = inputsOf(graph, tensorShapes(config));
    return { parameters: trained, trained };
  }
  const trained = inputsOf(graph, adapterShapes(config, base.lora));
  return { parameters: new Map([...frozenValues(graph, config, base), ...factors(trained, config, base)]), trained };
}

function inputsOf(graph: Graph, shapes: ReadonlyMap<string, readonly number[]>): Parameters {
  return new Map(Array.from(shapes, ([name, shape]) => [name, graph.input(name, 'float32', shape)]));
}

function frozenValues(graph: Graph, config: ModelConfig, { tensors }: FrozenBase): Parameters {
  return new Map(Array.from(tensorShapes(config), ([name, shape]) => [name, storedValue(graph, name, shape, tensors.get(name))]));
}

function storedValue(graph: Graph, name: string, shape: readonly number[], stored: StoredTensor | undefined): Value {
  if (stored === undefined) throw new Error(`frozen weights: expected a tensor ${name} of shape [${shape}], found none`);
  const byteLength = stored.shape.reduce((product, dim) => product * dim, Float32Array.BYTES_PER_ELEMENT);
  return graph.storedInitializer(name, shape, { location: stored.location, offset: stored.offset, byteLength });
}

/** A as it is, B times the scale: what is small is multiplied, and the gradient of B gets the scale by itself. */
function factors(trained: Parameters, config: ModelConfig, { lora }: FrozenBase): Map<string, Value> {
  const values = new Map<string, Value>();
  for (const weight of adaptedWeights(config, lora)) {
    const { a, b } = factorNames(weight);
    values.set(a, trained.get(a) as Value);
    values.set(b, op.mul(trained.get(b) as Value, loraScale(lora)));
  }
  return values;
}
