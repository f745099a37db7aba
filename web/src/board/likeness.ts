// Which open incidents a title that somebody types may already be about.
import type { Summary } from '../api/types';

/** Words that say nothing about what is broken. */
const EMPTY = new Set(
  (
    'a an and are as at be been but by can cannot for from had has have in into is it its new no not of off on or our ' +
    'since so some than that the their then there these this to too up very was we when with without your you ' +
    'error errors issue issues problem problems fail fails failed failing failure broken down slow slowly incident users everyone'
  ).split(' '),
);
const MOST = 3;

/** The words that matter, without accents, case and endings. */
export function words(title: string): Set<string> {
  const plain = title.slice(0, 1_000).normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const all = plain.split(/[^\p{L}\p{N}]+/u).filter((word) => word.length > 1 && !EMPTY.has(word));
  return new Set(all.map(stem));
}

function stem(word: string): string {
  if (word.length <= 4 || !/^[a-z]+$/.test(word)) return word;
  return word.replace(/(?:ings?|ed|es|s)$/, '');
}

/** The likeliest first: those that share most of the words. */
export function alike(title: string, open: Summary[]): Summary[] {
  const asked = words(title);
  const scored = open.map((one) => {
    const own = words(`${one.title ?? ''} ${one.services.join(' ')}`);
    return { one, shared: [...asked].filter((word) => own.has(word)).length };
  });
  return scored
    .filter(({ shared }) => shared > 0)
    .sort((a, b) => b.shared - a.shared || b.one.number - a.one.number)
    .slice(0, MOST)
    .map(({ one }) => one);
}
