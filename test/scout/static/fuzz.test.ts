/** @file Sources and issues cut, doubled and sprinkled with strange characters: no crash, no hang. `TURNWISE_FUZZ=10000` makes it thorough. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { languageOf } from '../../../activities/repository/grammar/languages.ts';
import { makeRecord } from '../../../activities/repository/records/makeRecord.ts';
import { type Random, randomOf } from '../../../core/random.ts';
import { FileIndex } from '../../../core/scout/repositoryIndex.ts';
import { staticScope } from '../../../core/scout/staticScope.ts';

const runs = Number(process.env['TURNWISE_FUZZ'] ?? 120);
const source = readFileSync(import.meta.filename, 'utf8');
const python =
  'import os\n\n\nclass A(B):\n    """Doc."""\n\n    def run(self, x=(1, 2)):\n        # why\n        return f"{x!r}" + os.path.join("a", \'b\')\n';
const go = 'package a\n\nimport "fmt"\n\n// Start starts.\nfunc (s *Server) Start(p int) error {\n\tfmt.Println("x")\n\treturn nil\n}\n';
const rust = "use a::{b, c};\n/// Point.\nstruct P<'a> { x: &'a str }\nimpl S for P<'_> { fn area(&self) -> f64 { f() } }\n";
const java = 'import a.b.C;\n/** Doc. */\nclass A extends B implements C { void run(int x) { new T(this).go(); } }\n';
const seeds: Readonly<Record<string, string>> = { 'a.py': python, 'a.ts': source, 'a.js': source.slice(0, 900), 'a.go': go, 'a.rs': rust, 'a.java': java };
const pieces = [
  '"""',
  "'",
  '`',
  '/*',
  '(',
  ')',
  '{',
  '\u0000',
  '\ud800',
  '🦀',
  '\\',
  '```',
  'File "a.py", line 3, in run',
  '<!--',
  '\n\n',
  'class ',
  'def ',
  '.'.repeat(300),
];

function mutated(text: string, random: Random): string {
  let result = text;
  for (let change = random.integer(1, 6); change > 0; change--) {
    const at = random.integer(0, result.length);
    const end = random.integer(at, Math.min(result.length, at + 80));
    const middle = random.pick([random.pick(pieces), result.slice(at, end).repeat(3), '']);
    result = result.slice(0, at) + middle + result.slice(end);
  }
  return result;
}

test(`${runs} mutated sources and issues`, { timeout: 60_000 + runs * 100 }, async () => {
  const random = randomOf(20_260);
  const repository = { directory: '/r', commit: null, contentHash: '', summary: {} as never };
  let indexed = 0;
  for (let run = 0; run < runs; run++) {
    const path = random.pick(Object.keys(seeds));
    const record = await makeRecord(path, Buffer.from(mutated(seeds[path] as string, random), 'utf8'));
    if (typeof record === 'string') {
      expect(['binary', 'unparsable']).toContain(record);
      continue;
    }
    indexed++;
    expect(record.language).toBe(languageOf(path)?.name);
    for (const { startLine, endLine } of record.entities.slice(1)) expect(1 <= startLine && startLine <= endLine).toBe(true);
    const index = new FileIndex(repository, [{ path, record }]);
    const scope = staticScope(index, mutated(source.slice(0, 1500), random));
    for (const { entity } of scope.targets) expect(index.neighbours(entity).length).toBeGreaterThan(0);
  }
  expect(indexed).toBeGreaterThan(runs / 3);
});
