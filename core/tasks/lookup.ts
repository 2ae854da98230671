/** @file Tools that look a name up in a hidden table: as Python for the sandbox and as data for demonstrations. */

export type Table = Readonly<Record<string, string | number>>;

/**
 * Python that defines one function per table. The tables live in closures and the function that made them is deleted: calling the tool is the
 * obvious way to its content, and no global holds it.
 */
export function lookupTools(tables: Readonly<Record<string, Table>>): string {
  const names = Object.keys(tables);
  const literals = names.map((name) => pythonTable(tables[name] as Table));
  return [
    'def _tool(table, name):',
    '    def tool(key): return table[key]',
    '    tool.__name__ = tool.__qualname__ = name',
    '    return tool',
    ...names.map((name, i) => `${name} = _tool(${literals[i]}, '${name}')`),
    'del _tool',
  ].join('\n');
}

function pythonTable(table: Table): string {
  const entries = Object.entries(table).map(([key, value]) => `${pythonString(key)}: ${typeof value === 'number' ? value : pythonString(value)}`);
  return `{${entries.join(', ')}}`;
}

/** A Python literal of a text: JSON's escapes are Python's. */
function pythonString(text: string): string {
  return /^[a-z0-9 ]*$/.test(text) ? `'${text}'` : JSON.stringify(text);
}

/** What calling the tool shows: the value's repr, or the exception. */
export function lookedUp(table: Table | undefined, key: string): string {
  const value = table?.[key];
  if (value === undefined) return 'KeyError';
  return typeof value === 'number' ? String(value) : `'${value}'`;
}
