/** @file Words of code and prose as terms: `getAbsoluteURL`, `get_absolute_url` and "absolute URLs" meet in the terms `absolut` and `url`. */

/** Words that say nothing of a place: English function words, keywords that every file has, and the courtesies of issues. */
const stopwords = new Set(
  (
    'a an and are as at be been being but by can could did do does done for from had has have having he her here him his how i if in into is it its ' +
    'just let like me more most my no nor not now of off on one only or other our out over own same she should so some such than that the their them then ' +
    'there these they this those through to too under until up us very was we were what when where which while who whom why will with would you your yours ' +
    'def return self cls elif else true false none null undefined const var function new also using use used get set am any all ' +
    'please thanks hello hi however seem seems want think way thing something'
  ).split(' '),
);

const longestTerm = 64;

export function isStopword(word: string): boolean {
  return stopwords.has(word);
}

/** Parts of an identifier in lower case: `parseHTTPHeader2_fast` → parse, http, header2, fast; `URLs` is one part. */
export function partsOf(identifier: string): string[] {
  return identifier
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1_$2')
    .replace(/(\p{Lu})(\p{Lu}(?!s(?!\p{Ll}))\p{Ll})/gu, '$1_$2')
    .toLowerCase()
    .split(/[_$]+/)
    .filter((part) => part !== '');
}

/**
 * Terms of one word: its stemmed parts, and the word as a whole where it has more than one part (`getabsoluteurl`),
 * so that an identifier that is written out weighs more than its parts scattered over a text.
 */
export function termsOf(word: string): string[] {
  const parts = partsOf(word);
  const terms = parts.filter((part) => part.length > 1 && !stopwords.has(part) && part.length <= longestTerm && !/^\d+$/.test(part)).map(stemOf);
  if (parts.length < 2) return terms;
  const whole = parts.join('');
  return whole.length <= longestTerm ? [...terms, stemOf(whole)] : terms;
}

/**
 * A light stem: plural, -ing, -ed, -er, -ion, -able and their like are cut where enough is left. Wrong for some English words,
 * alike for the text and the question.
 */
export function stemOf(word: string): string {
  if (word.length < 4) return word;
  let stem = word;
  if (stem.endsWith('ies') && stem.length > 4) stem = `${stem.slice(0, -3)}y`;
  else if (/(ss|sh|ch|x|z)es$/.test(stem)) stem = stem.slice(0, -2);
  else if (stem.endsWith('s') && !/(ss|us|is)$/.test(stem)) stem = stem.slice(0, -1);
  for (const ending of endings) {
    if (stem.endsWith(ending) && stem.length - ending.length >= 4) {
      stem = stem.slice(0, -ending.length);
      break;
    }
  }
  if (/([bdfgmnprt])\1$/.test(stem) && stem.length > 4) stem = stem.slice(0, -1);
  return stem.length > 4 && stem.endsWith('e') ? stem.slice(0, -1) : stem;
}

/** Longest first. */
const endings = ['ization', 'ation', 'izing', 'ized', 'izer', 'ment', 'able', 'ible', 'ing', 'ion', 'ize', 'ed', 'er', 'or', 'ly'];
