/** @file Languages by their files' names: a grammar and a query file each. */
import type { Lexicon } from '../../../core/scout/words.ts';

export interface LanguageDefinition {
  readonly name: string;
  readonly extensions: readonly string[];
  /** File of the package of grammars. */
  readonly grammar: string;
  /** File in queries/: which nodes are definitions, documentation and imports. */
  readonly query: string;
  readonly lexicon: Lexicon;
}

export const languages: readonly LanguageDefinition[] = [
  { name: 'python', extensions: ['.py', '.pyi'], grammar: 'tree-sitter-python.wasm', query: 'python.scm', lexicon: 'python' },
  { name: 'javascript', extensions: ['.js', '.jsx', '.mjs', '.cjs'], grammar: 'tree-sitter-javascript.wasm', query: 'javascript.scm', lexicon: 'c' },
  { name: 'typescript', extensions: ['.ts', '.mts', '.cts'], grammar: 'tree-sitter-typescript.wasm', query: 'typescript.scm', lexicon: 'c' },
  { name: 'tsx', extensions: ['.tsx'], grammar: 'tree-sitter-tsx.wasm', query: 'typescript.scm', lexicon: 'c' },
  { name: 'go', extensions: ['.go'], grammar: 'tree-sitter-go.wasm', query: 'go.scm', lexicon: 'c' },
  { name: 'java', extensions: ['.java'], grammar: 'tree-sitter-java.wasm', query: 'java.scm', lexicon: 'c' },
  { name: 'rust', extensions: ['.rs'], grammar: 'tree-sitter-rust.wasm', query: 'rust.scm', lexicon: 'rust' },
];

const byExtension = new Map(languages.flatMap((language) => language.extensions.map((extension) => [extension, language] as const)));

export function languageOf(path: string): LanguageDefinition | undefined {
  const dot = path.lastIndexOf('.');
  return dot === -1 ? undefined : byExtension.get(path.slice(dot).toLowerCase());
}
