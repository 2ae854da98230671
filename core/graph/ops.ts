/** @file Every operation as a function of graph values, named after its ONNX operator; the output's shape is inferred on creation. */
export * from './ops/elementwise.ts';
export * from './ops/layout.ts';
export * from './ops/matrix.ts';
export * from './ops/neural.ts';
export * from './ops/reduction.ts';
