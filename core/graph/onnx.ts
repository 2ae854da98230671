/** @file Graph → bytes of an ONNX ModelProto (IR version 10, opset 21). Field numbers are those of onnx.proto. */
import type { Graph } from './graph.ts';
import { domainOf } from './operations.ts';
import { dtypeCodes } from './ops/elementwise.ts';
import { Message } from './protobuf.ts';
import type { Attribute, Initializer, Node, StoredData, Value } from './types.ts';

const irVersion = 10;
const opset = 21;
/** AttributeProto.AttributeType */
const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 } as const;

export function modelBytes(graph: Graph): Uint8Array {
  const model = new Message();
  model.varint(1, irVersion);
  model.string(2, 'turnwise');
  model.message(7, graphMessage(graph));
  model.message(8, operatorSet('', opset));
  model.message(8, operatorSet('com.microsoft', 1));
  return model.finish();
}

function operatorSet(domain: string, version: number): Message {
  const message = new Message();
  if (domain) message.string(1, domain);
  message.varint(2, version);
  return message;
}

function graphMessage(graph: Graph): Message {
  const message = new Message();
  for (const node of inStoredOrder(graph.nodes)) message.message(1, nodeMessage(node));
  message.string(2, 'turnwise');
  for (const initializer of graph.initializers) message.message(5, tensorMessage(initializer));
  for (const input of graph.inputs) message.message(11, valueMessage(input));
  for (const output of graph.outputs) message.message(12, valueMessage(output));
  return message;
}

/**
 * ONNX Runtime walks back from the last node that nothing reads, then from the one before it, and so on. Stored like this, last made first,
 * they are computed as they were made: a weight's gradient right after the gradients it is made from, which are then let go.
 */
function inStoredOrder(nodes: readonly Node[]): Node[] {
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const isEnd = ({ outputs }: Node) => outputs.every((output) => output === null || !read.has(output));
  return [...nodes.filter((node) => !isEnd(node)), ...nodes.filter(isEnd).reverse()];
}

function nodeMessage(node: Node): Message {
  const message = new Message();
  for (const input of node.inputs) message.string(1, input?.name ?? '');
  for (const output of node.outputs) message.string(2, output?.name ?? '');
  message.string(3, node.name);
  message.string(4, node.operation);
  for (const [name, value] of Object.entries(node.attributes)) {
    if (value !== undefined) message.message(5, attributeMessage(name, value));
  }
  const domain = domainOf(node.operation);
  if (domain) message.string(7, domain);
  return message;
}

function attributeMessage(name: string, value: Attribute): Message {
  const message = new Message();
  message.string(1, name);
  const type = (code: number) => message.varint(20, code);
  if (typeof value === 'number') {
    message.varint(3, value);
    type(attributeTypes.int);
  } else if (typeof value === 'string') {
    message.string(4, value);
    type(attributeTypes.string);
  } else if ('float' in value) {
    message.float(2, value.float);
    type(attributeTypes.float);
  } else {
    for (const integer of value) message.varint(8, integer);
    type(attributeTypes.ints);
  }
  return message;
}

function tensorMessage({ value, data }: Initializer): Message {
  const message = new Message();
  for (const dim of value.shape) message.varint(1, Number(dim));
  message.varint(2, dtypeCodes[value.dtype]);
  message.string(8, value.name);
  if ('location' in data) storedContent(message, data);
  else message.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return message;
}

/** TensorProto.DataLocation */
const external = 1;

function storedContent(tensor: Message, { location, offset, byteLength }: StoredData): void {
  for (const [key, value] of Object.entries({ location, offset, length: byteLength })) {
    const entry = new Message();
    entry.string(1, key);
    entry.string(2, String(value));
    tensor.message(13, entry);
  }
  tensor.varint(14, external);
}

function valueMessage({ name, dtype, shape }: Value): Message {
  const dims = new Message();
  for (const dim of shape) {
    const entry = new Message();
    if (typeof dim === 'number') entry.varint(1, dim);
    else entry.string(2, dim);
    dims.message(1, entry);
  }
  const tensor = new Message();
  tensor.varint(1, dtypeCodes[dtype]);
  tensor.message(2, dims);
  const type = new Message();
  type.message(1, tensor);
  const message = new Message();
  message.string(1, name);
  message.message(2, type);
  return message;
}
