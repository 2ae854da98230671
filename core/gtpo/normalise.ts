/** @file (x − mean) / population standard deviation, and zeros where there is no spread to speak of. */

export function normalise(values: readonly number[], stdFloor: number): readonly number[] {
  const { mean, std } = momentsOf(values);
  return values.map((value) => (std < stdFloor ? 0 : (value - mean) / std));
}

/** Mean and population standard deviation; both 0 for no values. Summed in the order given, so that the result is the same everywhere. */
export function momentsOf(values: readonly number[]): { readonly mean: number; readonly std: number } {
  if (values.length === 0) return { mean: 0, std: 0 };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, std: Math.sqrt(variance) };
}
