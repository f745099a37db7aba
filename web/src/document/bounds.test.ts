// Which of the documents that a browser keeps go: by age, by number, and never with words in them that only it has.
import { expect, test } from 'vitest';
import { DOCUMENTS, type KeptDocument, LASTS, LASTS_OVER, tooMany } from './bounds';

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;

function document(incident: number, ago: number | null, more: Partial<KeptDocument> = {}): KeptDocument {
  const opened = ago === null ? null : NOW - ago;
  return { place: { person: 'marty', incident, epoch: 'e1' }, opened, unsent: false, over: false, ...more };
}
const gone = (all: KeptDocument[]): number[] => tooMany(all, NOW).map(({ place }) => place.incident);

test('a document that was not opened for thirty days goes, and of an incident that is over after one', () => {
  expect(gone([document(1, LASTS), document(2, LASTS + MINUTE)])).toEqual([2]);
  const over = { over: true };
  expect(gone([document(1, LASTS_OVER, over), document(2, LASTS_OVER + MINUTE, over)])).toEqual([2]);
});

test('those that were opened last stay, so many of them', () => {
  const all = Array.from({ length: DOCUMENTS + 2 }, (_, at) => document(at, at * MINUTE));
  expect(gone(all.toReversed())).toEqual([DOCUMENTS, DOCUMENTS + 1]);
});

test('words that were not sent stay, however old they are and however many there are', () => {
  const all = Array.from({ length: DOCUMENTS + 20 }, (_, at) =>
    document(at, LASTS + at * MINUTE, { unsent: true, over: at % 2 === 0 }),
  );
  expect(gone(all)).toEqual([]);
});

test('what nobody wrote a time down of is as new as can be, and so is what a clock that went back opened', () => {
  const all = [document(1, null), document(2, -LASTS), document(3, LASTS + MINUTE)];
  expect(gone(all)).toEqual([3]);
});
