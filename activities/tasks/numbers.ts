/** @file Reading the number in an answer: thousands separators, percent, fractions, powers of ten and a unit behind it; never one of several numbers. */

const digits = String.raw`(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+`;
const integer = String.raw`(?:\d{1,3}(?:,\d{3})+|\d+)`;
/** A word such as `km`, `dollars` or `m/s`; it may not contain digits apart from a power, so that "3 or 4" is not read as 3. */
const unit = String.raw`(?:°\s?[CF]?|[a-zA-Zµ€£$¥Å][a-zA-Zµ€£$¥Å.]*(?:[ /·][a-zA-Zµ]+\.?)*(?:\^?[23²³])?)`;

const forms: readonly { readonly pattern: RegExp; readonly read: (groups: readonly string[]) => number }[] = [
  { pattern: new RegExp(`^(${integer}) (${integer})/(${integer})$`), read: ([, whole, top, bottom]) => plain(whole) + plain(top) / plain(bottom) },
  { pattern: new RegExp(`^(${digits}) ?/ ?(-?)(${digits})$`), read: ([, top, sign, bottom]) => ((sign === '-' ? -1 : 1) * plain(top)) / plain(bottom) },
  { pattern: new RegExp(`^(${digits})[eE]([+-]?\\d{1,3})$`), read: ([, mantissa, power]) => Number(`${plain(mantissa)}e${power}`) },
  {
    pattern: new RegExp(`^(${digits}) ?(?:[x×*·]|\\\\times|\\\\cdot) ?10\\^\\{?([+-]?\\d{1,3})\\}?$`),
    read: ([, mantissa, power]) => Number(`${plain(mantissa)}e${power}`),
  },
  { pattern: new RegExp(`^(${digits})$`), read: ([, number]) => plain(number) },
];

function plain(text: string | undefined): number {
  return Number((text ?? '').replaceAll(',', ''));
}

/** What the text may mean: nothing when it is no number, two values for a percentage (25 % is 25 and 0.25). */
export function numbersIn(text: string): readonly number[] {
  const cleaned = withoutDecoration(text);
  const negative = cleaned.startsWith('-');
  const unsigned = cleaned.replace(/^[-+] ?/, '').replace(/^[$€£¥] ?/, '');
  const percent = /^(.*?) ?(?:%|percent|per cent)$/.exec(unsigned);
  if (percent !== null) return signed(negative, readNumber(percent[1] as string)).flatMap((value) => [value, value / 100]);
  const exact = signed(negative, readNumber(unsigned));
  if (exact.length > 0) return exact;
  const withUnit = new RegExp(`^(.*?[\\d.)]) ?${unit}$`).exec(unsigned);
  return withUnit === null ? [] : signed(negative, readNumber(withUnit[1] as string));
}

function signed(negative: boolean, value: number | undefined): number[] {
  if (value === undefined || !Number.isFinite(value)) return [];
  return [negative ? -value : value];
}

function readNumber(text: string): number | undefined {
  for (const { pattern, read } of forms) {
    const groups = pattern.exec(text);
    if (groups !== null) return read(groups);
  }
  return undefined;
}

const longestNumber = 200;

/** Dollar signs and LaTeX around a number, the full stop behind it, `x =` before it, other minus signs and spaces. */
function withoutDecoration(text: string): string {
  if (text.length > longestNumber) return '';
  return text
    .replace(/[\u2212\u2013]/g, '-')
    .replace(/[\u00a0\u2009\u202f]|\\[,;! ]/g, ' ')
    .replace(/\\\$/g, '$')
    .replace(/\\%/g, '%')
    .replace(/\{,\}/g, ',')
    .replace(/\\(?:left|right)\b|\\[()[\]]/g, '')
    .replace(/^\s*\$(.*)\$\s*$/s, '$1')
    .replace(/\\[dt]?frac\{([^{}]+)\}\{([^{}]+)\}/g, '$1/$2')
    .replace(/\\(?:text|mathrm|textbf)\{([^{}]*)\}/g, ' $1')
    .replace(/\^\{?\\circ\}?/g, '°')
    .replace(/(\d)_(?=\d)/g, '$1')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/^[a-zA-Z]{1,10} ?= ?/, '')
    .replace(/\.$/, '')
    .trim();
}

/** Equal within the tolerance; around zero the tolerance is absolute. */
export function sameNumber(given: number, expected: number, relativeTolerance: number): boolean {
  if (given === expected) return true;
  const scale = expected === 0 ? 1 : Math.max(Math.abs(given), Math.abs(expected));
  return Math.abs(given - expected) <= relativeTolerance * scale;
}

export function numericEqual(answer: string, expected: number, relativeTolerance: number): boolean {
  return numbersIn(answer).some((value) => sameNumber(value, expected, relativeTolerance));
}
