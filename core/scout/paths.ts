/** @file Paths inside a repository: which are safe to name, and which belong to tests. */

const longestPath = 1024;

/** Relative, with `/`, without a way out of the repository or into git's own directory, and without control characters. */
export function isSafePath(path: string): boolean {
  if (path === '' || path.length > longestPath || path.startsWith('/') || path.includes('\\')) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\u0000-\u001f\u007f]|^[A-Za-z]:/.test(path)) return false;
  return path.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..' && segment.toLowerCase() !== '.git');
}

const testFolder = /^(tests?|testing|__tests__|spec|specs|test[-_]?data|testsuite|fixtures|e2e|bench|benchmarks|asv_bench)$/i;
const testName = /^(test_.*|.*_tests?|tests?|conftest|.*[.-](test|spec)|.*Tests?|.*IT|.*Spec)$/;
/** `django/test/client.py` is a product, not a test: a folder called `test` counts only at the root, beside a `src`, or with files named as tests. */
const productFolder = /^(test|testing)$/i;

export function isTestPath(path: string): boolean {
  const segments = path.split('/');
  const file = segments.pop() as string;
  if (testName.test(file.replace(/\.[^.]+$/, ''))) return true;
  return segments.some((segment, depth) => testFolder.test(segment) && (!productFolder.test(segment) || depth === 0 || segments[depth - 1] === 'src'));
}
