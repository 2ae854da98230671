/** @file Reverse mode: one walk back over the graph's acts, asking the rule of each. Gradients are more nodes of the same graph. */
import { type ActName, rules, type Act as TypedAct } from './gradients.ts';
import type { Act, Graph } from './graph.ts';
import { add } from './ops.ts';
import { sameShape } from './shapes.ts';
import type { Value } from './types.ts';

/** Gradients of the scalar `y`; null where y does not depend on the value. */
export function gradientsOf(y: Value, wrt: readonly Value[]): (Value | null)[] {
  if (y.shape.length > 0) throw new Error(`gradientsOf: expected a scalar, got shape [${y.shape}]; reduce it first`);
  return gradientsThrough(y, y.graph.constant(1, y.dtype), wrt);
}

/** Gradients of a loss that lies beyond this graph, of which only `gradient`, that of `y`, is known. */
export function gradientsThrough(y: Value, gradient: Value, wrt: readonly Value[]): (Value | null)[] {
  if (!sameShape(gradient.shape, y.shape)) throw new Error(`gradientsThrough: expected a gradient of shape [${y.shape}], got [${gradient.shape}]`);
  const { graph } = y;
  const live = liveValues(graph, wrt);
  const gradients = new Map<Value, Value>([[y, gradient]]);
  const walked = [...graph.acts];
  return graph.unrecorded(() => {
    for (const act of walked.reverse()) propagate(act, gradients, live);
    return wrt.map((value) => gradients.get(value) ?? null);
  });
}

/** Values that depend on `wrt`: only through these does a gradient have somewhere to go. */
function liveValues(graph: Graph, wrt: readonly Value[]): ReadonlySet<Value> {
  const live = new Set(wrt);
  for (const { inputs, outputs } of graph.acts) {
    if (inputs.some((input) => input && live.has(input))) for (const output of outputs) live.add(output);
  }
  return live;
}

function propagate(act: Act, gradients: Map<Value, Value>, live: ReadonlySet<Value>): void {
  const outputs = act.outputs.map((output) => gradients.get(output) ?? null);
  if (outputs.every((gradient) => gradient === null)) return;
  const needs = act.inputs.map((input) => input !== null && live.has(input));
  if (!needs.some(Boolean)) return;
  const rule = rules[act.name];
  if (typeof rule !== 'function') throw new Error(`gradientsOf: ${act.name} has no gradient: ${rule.reason}`);
  const found = (rule as (act: TypedAct<ActName>) => readonly (Value | null)[])({ ...act, gradients: outputs, needs } as TypedAct<ActName>);
  act.inputs.forEach((input, i) => {
    const gradient = found[i];
    if (!input || !needs[i] || !gradient) return;
    if (!sameShape(gradient.shape, input.shape))
      throw new Error(`rule of ${act.name}: expected gradient ${i} of shape [${input.shape}], got [${gradient.shape}]`);
    const before = gradients.get(input);
    gradients.set(input, before ? add(before, gradient) : gradient);
  });
}
