// What changed, word by word: it is right, and it can be read.
import { expect, test } from 'vitest';
import { type Stretch, differences, nearby } from './differences';

const SIGNS = { same: ['', ''], new: ['{', '}'], gone: ['[', ']'] } as const;
const drawn = (stretches: Stretch[]): string =>
  stretches.map(({ is, text }) => `${SIGNS[is][0]}${text}${SIGNS[is][1]}`).join('');

test.each([
  ['', '', ''],
  ['as it was', 'as it was', 'as it was'],
  ['', 'all of it', '{all of it}'],
  ['all of it', '', '[all of it]'],
  ['92 % of queries fail', '12 % of queries fail', '[92]{12} % of queries fail'],
  ['The cache is cold.', 'The cache is warm again.', 'The cache is [cold]{warm again}.'],
  ['one two three', 'four five six', '[one two three]{four five six}'],
  ['a\nb\nc', 'a\nc\nd', 'a\n[b\n]c{\nd}'],
  ['eu-1 is warm', 'eu-2 is warm', 'eu-[1]{2} is warm'],
])('%j and then %j', (before, after, expected) => {
  expect(drawn(differences(before, after))).toBe(expected);
});

test('what is near a change is shown, and the rest is counted', () => {
  const change: Stretch = { is: 'new', text: 'x' };
  const before = (text: string): string => drawn([{ is: 'same', text } as Stretch, change].map(nearby));
  const after = (text: string): string => drawn([change, { is: 'same', text } as Stretch].map(nearby));
  expect(before('1\n2\n3\n4\n')).toBe('[ 2 lines as before ]\n3\n4\n{x}');
  expect(before('1\n2\n3\n')).toBe('1\n2\n3\n{x}');
  expect(after('\n1\n2\n3\n4')).toBe('{x}\n1\n2\n[ 2 lines as before ]');
  expect(after('\n1\n2\n3\n4\n')).toBe('{x}\n1\n2\n[ 2 lines as before ]\n');
});

test('between two changes both have their lines', () => {
  const between: Stretch = { is: 'same', text: ' a\n1\n2\n3\n4\n5\n6\nb ' };
  const all: Stretch[] = [{ is: 'new', text: 'x' }, between, { is: 'gone', text: 'y' }];
  expect(drawn(all.map(nearby))).toBe('{x} a\n1\n2\n[ 2 lines as before ]\n5\n6\nb [y]');
});

/** Texts that are the same in each run. */
function text(seed: number, length: number): string {
  let state = seed;
  const next = (): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff) >> 8;
  return Array.from({ length }, () => ['a', 'b', 'cold', ' ', ' ', '\n', '.'][next() % 7]).join('');
}

test('whatever the two are, both can be read out of it', () => {
  const is = (kind: Stretch['is'], all: Stretch[]): string =>
    all
      .filter((one) => one.is === 'same' || one.is === kind)
      .map((one) => one.text)
      .join('');
  for (let seed = 1; seed <= 300; seed += 1) {
    const [before, after] = [text(seed, seed % 40), text(seed * 7, (seed * 3) % 40)];
    const found = differences(before, after);
    expect([is('gone', found), is('new', found)]).toEqual([before, after]);
  }
});

test('a long text in which everything changed is told as written anew', () => {
  const [before, after] = [text(1, 60_000), text(2, 60_000).replaceAll('a', 'x').replaceAll('b', 'y')];
  const found = differences(before, after);
  expect(found.filter(({ is }) => is === 'gone')).toHaveLength(1);
  expect(found.length).toBeLessThanOrEqual(4);
});
