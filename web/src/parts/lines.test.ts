// Lines that are typed faster than they are taken: in order, and none is lost.
import { expect, test } from 'vitest';
import { type Line, Lines } from './lines.svelte';

/** Lines, and the answers to what was sent, which come when they are given. */
function sent() {
  const lines = new Lines();
  const asked: (Line & { answer: (taken: boolean) => void })[] = [];
  const send = (line: Line) => new Promise<boolean>((answer) => void asked.push({ ...line, answer }));
  const type = (words: string): Promise<void> => {
    lines.typed = words;
    return lines.take(send);
  };
  return { lines, asked, type };
}

/** What was not taken, and waits for the field to be free. */
const waiting = ({ back }: Lines): string[] => back.map(({ words }) => words);

test('a line goes when the one before it was taken, and the field is free at once', async () => {
  const { lines, asked, type } = sent();
  const first = type('  drained eu-1 ');
  void type('capped traffic');
  void type('   ');
  expect(lines.typed.trim()).toBe('');
  expect(asked.map(({ words }) => words)).toEqual(['drained eu-1']);
  asked[0]!.answer(true);
  await expect.poll(() => asked.map(({ words }) => words)).toEqual(['drained eu-1', 'capped traffic']);
  asked[1]!.answer(true);
  await first;
  expect(lines.back).toEqual([]);
});

test('what was refused comes back into the field, and what waited behind it after it', async () => {
  const { lines, asked, type } = sent();
  const first = type('drained eu-1');
  void type('capped traffic');
  asked[0]!.answer(false);
  await first;
  expect([lines.typed, waiting(lines), asked.length]).toEqual(['drained eu-1', ['capped traffic'], 1]);
});

test('what was refused while another is being typed is not lost: it comes back when the field is free', async () => {
  const { lines, asked, type } = sent();
  const first = type('drained eu-1');
  lines.typed = 'capped tra';
  asked[0]!.answer(false);
  await first;
  expect([lines.typed, waiting(lines)]).toEqual(['capped tra', ['drained eu-1']]);
  const second = type('capped traffic');
  asked[1]!.answer(true);
  await second;
  expect([lines.typed, lines.back]).toEqual(['drained eu-1', []]);
});

test('a line that nobody could answer comes back too, and stands in no other’s way', async () => {
  const { lines, asked, type } = sent();
  lines.typed = 'drained eu-1';
  await expect(lines.take(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(lines.typed).toBe('drained eu-1');
  void type('capped traffic');
  expect(asked.map(({ words }) => words)).toEqual(['capped traffic']);
});

test('what was refused goes again another way, and what is typed meanwhile stays', async () => {
  const { lines, asked, type } = sent();
  const first = type('eu-1/cards: drained');
  asked[0]!.answer(false);
  await first;
  const again: string[] = [];
  let answer = (_: boolean): void => undefined;
  const otherwise = ({ words }: Line) => {
    again.push(words);
    return new Promise<boolean>((taken) => (answer = taken));
  };
  lines.typed += ' by hand';
  const going = lines.again(otherwise);
  lines.typed = 'capped traffic';
  answer(true);
  await going;
  expect([again, lines.typed, lines.back]).toEqual([['eu-1/cards: drained by hand'], 'capped traffic', []]);
});

test('what was refused while another was being typed goes again, and not the other', async () => {
  const { lines, asked, type } = sent();
  const first = type('eu-1/cards: drained');
  lines.typed = 'capped tra';
  asked[0]!.answer(false);
  await first;
  const again: string[] = [];
  await lines.again(({ words }) => Promise.resolve(again.push(words) === 1));
  expect([again, lines.typed, lines.back]).toEqual([['eu-1/cards: drained'], 'capped tra', []]);
  // Refused once more, it is not lost either.
  lines.typed = '';
  await lines.again(() => Promise.resolve(false));
  expect([lines.typed, lines.back]).toEqual(['eu-1/cards: drained', []]);
  // Nor where somebody emptied the field over it.
  lines.typed = ' ';
  await lines.again(({ words }) => Promise.resolve(again.push(words) === 2));
  expect([again.length, again.at(-1), lines.typed]).toEqual([2, 'eu-1/cards: drained', '']);
});

test('what was chosen beside a line goes with it, and comes back with it', async () => {
  const { lines, asked, type } = sent();
  lines.beside = 'marty';
  const first = type('drained eu-1');
  // The next one begins anew.
  expect(lines.beside).toBe('');
  lines.beside = 'sabrina';
  void type('capped traffic');
  lines.typed = 'rolled ba';
  lines.beside = 'emma';
  asked[0]!.answer(false);
  await first;
  expect([lines.typed, lines.beside]).toEqual(['rolled ba', 'emma']);
  // Chosen anew for what is in the field by now, which goes as it stands there.
  const third = type('rolled back');
  asked[1]!.answer(true);
  await third;
  expect([lines.typed, lines.beside]).toEqual(['drained eu-1', 'marty']);
  lines.beside = 'emma';
  const again: Line[] = [];
  await lines.again((line) => Promise.resolve(again.push(line) === 1));
  expect(again).toEqual([{ words: 'drained eu-1', beside: 'emma' }]);
  expect([lines.typed, lines.beside]).toEqual(['capped traffic', 'sabrina']);
});
