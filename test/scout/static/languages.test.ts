/** @file What the index knows of small sources in each language: entities with their lines, declarations, documentation, bases, and what files import. */
import { expect, test } from 'vitest';
import { makeRecord } from '../../../activities/repository/records/makeRecord.ts';
import type { FileRecord } from '../../../core/scout/fileRecord.ts';
import { FileIndex } from '../../../core/scout/repositoryIndex.ts';
import { goFiles, javaFiles, javascriptFiles, rustFiles, typescriptFiles } from './languageSources.ts';

async function indexOf(files: Readonly<Record<string, string>>): Promise<FileIndex> {
  const indexed = Object.entries(files).map(async ([path, text]) => ({ path, record: (await makeRecord(path, Buffer.from(text))) as FileRecord }));
  return new FileIndex({ directory: '/r', commit: null, contentHash: '', summary: {} as never }, await Promise.all(indexed));
}

/** `method 13-15 Cart.total: total(coupon) // Sum.` of everything in a file but the file itself. */
function listed(index: FileIndex, file: string): string[] {
  return index
    .entitiesOf(file)
    .slice(1)
    .map(({ kind, qualifiedName, span, signature, docstring }) => {
      const said = docstring === '' ? '' : ` // ${docstring}`;
      return `${kind} ${span.startLine}-${span.endLine} ${qualifiedName}: ${signature}${said}`;
    });
}

/** `shop/cart.ts:Cart inherits shop/base.ts:Base`, in the order of files and lines. */
function edges(index: FileIndex, kind: 'imports' | 'inherits' | 'calls'): string[] {
  const all = index.files.flatMap((file) => index.entitiesOf(file));
  return all.flatMap(({ id }) =>
    index
      .neighbours(id)
      .filter(({ edge, direction }) => edge === kind && direction === 'out')
      .map(({ entity }) => `${id} → ${entity.id}`),
  );
}

test('TypeScript', async () => {
  const index = await indexOf(typescriptFiles);
  expect(index.indexed.map(({ record }) => [record.language, record.broken])).toEqual([
    ['typescript', false],
    ['typescript', false],
  ]);
  expect(listed(index, 'shop/cart.ts')).toEqual([
    'variable 5-5 limit: limit = 20 // How many items fit.',
    'class 8-22 Cart: class Cart extends Container<Item> implements Priced // What a customer is about to buy.',
    'method 11-13 Cart.constructor: constructor(private readonly owner: string)',
    'method 16-18 Cart.total: total(coupon?: number): number // Sum of all items.',
    'method 20-21 Cart.clear: clear = (): void',
    'function 24-26 open: async function open(owner: string): Promise<Cart>',
    'function 28-28 half: half = (price: number)',
    'class 30-30 Owner: type Owner = string',
    'class 31-33 Level: enum Level',
    'import 1-1 ./base.js: from ./base.js import Container, Priced',
    'import 2-2 node:fs/promises: from node:fs/promises import fs',
  ]);
  expect(edges(index, 'inherits')).toEqual(['shop/cart.ts:Cart → shop/base.ts:Container', 'shop/cart.ts:Cart → shop/base.ts:Priced']);
  expect(edges(index, 'imports')).toEqual(['shop/cart.ts → shop/base.ts']);
  expect(edges(index, 'calls')).toContain('shop/cart.ts:open → shop/cart.ts:Cart');
});

test('JavaScript, with modules of both kinds', async () => {
  const index = await indexOf(javascriptFiles);
  expect(listed(index, 'lib/server.js')).toEqual([
    "variable 1-1 parse: parse = require('./parse')",
    'class 5-9 Server: class Server extends Emitter // Answers requests.',
    'method 6-8 Server.start: start(port)',
    'function 11-13 stop: exports.stop = function (server)',
    'import 1-1 ./parse: import ./parse',
    'import 2-2 ./emitter.mjs: from ./emitter.mjs import Emitter',
  ]);
  expect(edges(index, 'imports')).toEqual(['lib/server.js → lib/parse.js', 'lib/server.js → lib/emitter.mjs']);
  expect(edges(index, 'inherits')).toEqual(['lib/server.js:Server → lib/emitter.mjs:Emitter']);
});

test('Go', async () => {
  const index = await indexOf(goFiles);
  expect(listed(index, 'server/server.go')).toEqual([
    'variable 8-8 DefaultPort: DefaultPort = 8080',
    'class 11-14 Server: Server struct // Server answers requests.',
    'method 17-19 Server.Start: func (s *Server) Start(port int) error // Start begins to listen.',
    'class 21-23 Handler: Handler interface',
    'function 25-27 New: func New() *Server',
    'import 4-4 fmt: import fmt',
    'import 5-5 example.org/shop/pool: import example.org/shop/pool',
  ]);
  expect(index.entity('server/server.go:Server.Start')?.parent).toBe('server/server.go:Server');
  expect(edges(index, 'imports')).toEqual(['server/server.go → pool/pool.go']);
  expect(edges(index, 'inherits')).toEqual(['server/server.go:Server → pool/pool.go:Pool']);
});

test('Java', async () => {
  const index = await indexOf(javaFiles);
  const cart = 'src/main/java/org/shop/Cart.java';
  const base = 'src/main/java/org/base/Container.java';
  expect(listed(index, cart)).toEqual([
    'class 6-21 Cart: public class Cart extends Container implements Priced // What a customer is about to buy.',
    'method 9-11 Cart.Cart: public Cart(String owner)',
    'method 14-17 Cart.total: @Override public int total(int coupon) // Sum of all items.',
    'class 19-20 Cart.Level: enum Level',
    'class 23-25 Priced: interface Priced',
    'method 24-24 Priced.total: int total(int coupon)',
    'import 3-3 org.base.Container: import org.base.Container',
  ]);
  expect(edges(index, 'imports')).toEqual([`${cart} → ${base}`]);
  expect(edges(index, 'inherits')).toEqual([`${cart}:Cart → ${base}:Container`, `${cart}:Cart → ${cart}:Priced`]);
});

test('Rust', async () => {
  const index = await indexOf(rustFiles);
  expect(listed(index, 'src/shape.rs')).toEqual([
    'variable 3-3 SIDES: const SIDES: u32 = 4',
    'class 6-9 Square: pub struct Square // A square.',
    'method 12-14 Square.new: pub fn new(side: f64) -> Self',
    'method 18-20 Square.area: fn area(&self) -> f64',
    'class 23-26 Kind: enum Kind',
    'function 29-31 largest: pub fn largest(squares: &[Square]) -> f64 // The largest area.',
    'import 1-1 crate::area::Area: import crate::area::Area',
  ]);
  expect(index.entity('src/shape.rs:Square.area')?.parent).toBe('src/shape.rs:Square');
  expect(edges(index, 'imports')).toEqual(['src/shape.rs → src/area.rs']);
  expect(edges(index, 'inherits')).toEqual(['src/shape.rs:Square → src/area.rs:Area']);
});
