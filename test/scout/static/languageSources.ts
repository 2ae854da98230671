/** @file Small sources in each language, with what is particular to it: where documentation stands, how a type is extended, how modules are named. */

export const typescriptFiles = {
  'shop/base.ts': 'export class Container<T> {\n  items: T[] = [];\n}\nexport interface Priced {\n  total(): number;\n}\n',
  'shop/cart.ts': `import { Container, type Priced } from './base.js';
import fs from 'node:fs/promises';

/** How many items fit. */
export const limit = 20;

/** What a customer is about to buy. */
export class Cart extends Container<Item> implements Priced {
  private level = 0;

  constructor(private readonly owner: string) {
    super();
  }

  /** Sum of all items. */
  total(coupon?: number): number {
    return this.items.length * (coupon ?? 1);
  }

  clear = (): void => {
  };
}

export async function open(owner: string): Promise<Cart> {
  return new Cart(await fs.readFile(owner, 'utf8'));
}

const half = (price: number) => price / 2;

type Owner = string;
enum Level {
  Low,
}
`,
};

export const javascriptFiles = {
  'lib/emitter.mjs': 'export default class Emitter {}\n',
  'lib/parse.js': 'module.exports = function parse(text) {\n  return text;\n};\n',
  'lib/server.js': `const parse = require('./parse');
import Emitter from './emitter.mjs';

// Answers requests.
class Server extends Emitter { // Not said of start.
  start(port) {
    return parse(port);
  }
}

exports.stop = function (server) {
  server.end();
};
`,
};

export const goFiles = {
  'pool/pool.go': 'package pool\n\ntype Pool struct {\n\tsize int\n}\n',
  'server/server.go': `package server

import (
	"fmt"
	"example.org/shop/pool"
)

const DefaultPort = 8080

// Server answers requests.
type Server struct {
	pool.Pool
	port int
}

// Start begins to listen.
func (s *Server) Start(port int) error {
	return fmt.Errorf("port %d", port)
}

type Handler interface {
	Handle() error
}

func New() *Server {
	return &Server{port: DefaultPort}
}
`,
};

export const javaFiles = {
  'src/main/java/org/base/Container.java': 'package org.base;\n\npublic class Container {\n}\n',
  'src/main/java/org/shop/Cart.java': `package org.shop;

import org.base.Container;

/** What a customer is about to buy. */
public class Cart extends Container implements Priced {
    private final String owner;

    public Cart(String owner) {
        this.owner = owner;
    }

    /** Sum of all items. */
    @Override
    public int total(int coupon) {
        return items.size() * coupon;
    }

    enum Level {
        LOW }
}

interface Priced {
    int total(int coupon);
}
`,
};

export const rustFiles = {
  'src/area.rs': 'pub trait Area {\n    fn area(&self) -> f64;\n}\n',
  'src/shape.rs': `use crate::area::Area;

const SIDES: u32 = 4;

/// A square.
#[derive(Clone)]
pub struct Square {
    side: f64,
}

impl Square {
    pub fn new(side: f64) -> Self {
        Square { side }
    }
}

impl Area for Square {
    fn area(&self) -> f64 {
        self.side * self.side
    }
}

enum Kind {
    Small,
    Large,
}

/// The largest area.
pub fn largest(squares: &[Square]) -> f64 {
    squares.iter().map(|square| square.area()).fold(0.0, f64::max)
}
`,
};
