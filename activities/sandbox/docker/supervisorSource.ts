/** @file The program that runs as process 1 of every box: the Python modules of sandbox/supervisor as one text for `python3 -c`. It travels with each box, so that image and worker cannot differ in version. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '..', '..', '..', 'sandbox', 'supervisor');
/** Runs with the other modules as texts in SOURCES. */
const bootstrap = 'bootstrap.py';

/** Code runs under this user, which exists nowhere else. */
export const codeUid = 10_001;

let source: string | undefined;

export function supervisorSource(): string {
  source ??= joined();
  return source;
}

function joined(): string {
  const files = readdirSync(folder).filter((file) => file.endsWith('.py') && file !== bootstrap);
  const modules = Object.fromEntries(files.sort().map((file) => [file.slice(0, -3), readFileSync(join(folder, file), 'utf8')]));
  // JSON with only ASCII in it is a Python literal.
  const literal = JSON.stringify(modules).replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `SOURCES = ${literal}\n${readFileSync(join(folder, bootstrap), 'utf8')}`;
}

/** `preload`: modules that programs will import, beyond those of the standard library that are loaded anyway. */
export function supervisorEnvironment({ preload = [] }: { readonly preload?: readonly string[] } = {}): Record<string, string> {
  return { PYTHONHASHSEED: '0', TURNWISE_CODE_UID: String(codeUid), TURNWISE_PRELOAD: preload.join(' ') };
}
