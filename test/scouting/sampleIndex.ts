/** @file A repository index from a list of entities, for what is checked against an index. */
import type { Entity, IndexedRepository, RepositoryIndex } from '../../core/scout/types.ts';

export const sampleRepository: IndexedRepository = {
  directory: '/repository',
  commit: '0123456789abcdef0123456789abcdef01234567',
  contentHash: 'f'.repeat(64),
  summary: {
    files: 2,
    testFiles: 0,
    entities: { file: 2, class: 1, function: 1, method: 1, import: 1, variable: 0 },
    languages: { python: 2 },
    skipped: {},
    broken: 0,
    parsed: 2,
  },
};

function entity(kind: Entity['kind'], file: string, qualifiedName: string, startLine: number, endLine: number): Entity {
  const isFile = kind === 'file';
  const name = isFile ? file : (qualifiedName.split('.').at(-1) ?? '');
  return {
    id: isFile ? file : `${file}:${qualifiedName}`,
    kind,
    file,
    name,
    qualifiedName: isFile ? file : qualifiedName,
    parent: isFile ? null : file,
    span: { startLine, endLine },
    signature: isFile ? file : `def ${name}()`,
    docstring: '',
  };
}

const entities = [
  entity('file', 'src/parser.py', '', 1, 40),
  entity('import', 'src/parser.py', 'import re', 1, 1),
  entity('class', 'src/parser.py', 'HeaderParser', 3, 30),
  entity('method', 'src/parser.py', 'HeaderParser.parse_line', 10, 20),
  entity('file', 'src/server.py', '', 1, 25),
  entity('function', 'src/server.py', 'start_server', 5, 25),
];

export const sampleIndex: RepositoryIndex = {
  repository: sampleRepository,
  files: ['src/parser.py', 'src/server.py'],
  entity: (id) => entities.find((one) => one.id === id),
  entitiesOf: (file) => entities.filter((one) => one.file === file),
  resolve: (name, file) => {
    const found = entities.filter((one) => one.kind !== 'import' && (one.id === name || one.qualifiedName === name || one.name === name));
    return found.toSorted((a, b) => Number(b.file === file) - Number(a.file === file));
  },
  neighbours: () => [],
  isTest: () => false,
};
