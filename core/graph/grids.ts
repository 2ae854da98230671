/** @file Rows moved onto grids and back: both ways are gathers, and so are their gradients. */
import type { Act } from './gradients.ts';
import { flatRows } from './macros.ts';
import type { GridPlaces } from './macroTypes.ts';
import * as op from './ops.ts';
import { zerosLike } from './ruleParts.ts';
import type { Dim, Value } from './types.ts';

/** x [..., D] → [...cells, D] for each grid; what stands on padding is some row or other. */
export function spreadRows(x: Value, places: GridPlaces): readonly Value[] {
  const build = () => ({ outputs: places.cells.map((cells) => op.gather(flatRows(x), cells)), attributes: places });
  return x.graph.macro('spreadRows', [x], build);
}

/** Grids [...cells, D] → [...places, D], without the padding. */
export function collectRows(grids: readonly Value[], places: GridPlaces): Value {
  const build = () => ({ outputs: [op.gather(stacked(grids), places.places)], attributes: places });
  return (grids[0] as Value).graph.macro('collectRows', grids, build)[0] as Value;
}

function stacked(grids: readonly Value[]): Value {
  const flat = grids.map(flatRows);
  return flat.length === 1 ? (flat[0] as Value) : op.concat(flat, 0);
}

export function spreadRowsRule({ outputs, attributes, gradients }: Act<'spreadRows'>): Value[] {
  return [op.gather(stacked(outputs.map((output, i) => gradients[i] ?? zerosLike(output))), attributes.places)];
}

/** Padding takes the row of zeros at the end. */
export function collectRowsRule({ attributes, gradients }: Act<'collectRows'>): Value[] {
  const dy = flatRows(gradients[0] as Value);
  const padded = op.concat([dy, zerosLike(dy, [1, dy.shape[1] as Dim])], 0);
  return attributes.cells.map((cells) => op.gather(padded, cells));
}
