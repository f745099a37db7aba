// Which open incidents a title that somebody types may already be about.
import type { Summary } from '../api/types';

/** Words that say nothing about what is broken. */
const EMPTY = new Set(
  (
    'a an and are as at be been but by can cannot for from had has have in into is it its new no not of off on or our ' +
    'since so some than that the their then there these this to too up very was we when with without your you ' +
    'after before until while ' +
    'error errors issue issues problem problems fail fails failed failing failure broken down slow slowly incident users everyone'
  )
    .split(' ')
    .map(stem),
);
const MOST = 3;

/** The words of a title, without accents, case and endings. */
export function words(title: string): Set<string> {
  const plain = title.slice(0, 1_000).normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const all = plain.split(/[^\p{L}\p{N}]+/u).filter((word) => word.length > 1);
  return new Set(all.slice(0, 100).map(stem));
}

function stem(word: string): string {
  if (word.length <= 4 || !/^[a-z]+$/.test(word)) return word;
  return word.replace(/(?:ings?|ed|es|s)$/, '');
}

/** The likeliest first: those that share most of the words that matter, and then most of all words. */
export function alike(title: string, open: Summary[]): Summary[] {
  const asked = [...words(title)];
  const scored = open.map((one) => {
    const own = words(`${one.title ?? ''} ${one.services.join(' ')}`);
    const shared = asked.filter((word) => own.has(word));
    return { one, telling: shared.filter((word) => !EMPTY.has(word)).length, shared: shared.length };
  });
  return scored
    .filter(({ telling }) => telling > 0)
    .sort((a, b) => b.telling - a.telling || b.shared - a.shared || b.one.number - a.one.number)
    .slice(0, MOST)
    .map(({ one }) => one);
}
