// What toolbar and keys do to the text. `[` and `]` stand where the selection begins and ends, `|` is the cursor.
import { EditorState, type StateCommand } from '@codemirror/state';
import { expect, test } from 'vitest';
import { around, chosen, chosenLines, codeBlock, indent, lines, link, onwards, table } from './acts';

function after(before: string, act: StateCommand): string | null {
  const from = before.search(/[‹¦]/);
  const to = before.includes('›') ? before.indexOf('›') - 1 : from;
  let state = EditorState.create({
    doc: before.replace(/[‹›¦]/g, ''),
    selection: { anchor: from, head: to },
  });
  const done = act({ state, dispatch: (transaction) => (state = transaction.state) });
  if (!done) return null;
  const { main } = state.selection;
  const text = state.doc.toString();
  return main.empty
    ? `${text.slice(0, main.head)}¦${text.slice(main.head)}`
    : `${text.slice(0, main.from)}‹${text.slice(main.from, main.to)}›${text.slice(main.to)}`;
}

const bold = around('**');
const italic = around('*');

test.each<[string, StateCommand, string, string | null]>([
  ['bold', bold, 'the ‹cache› is cold', 'the **‹cache›** is cold'],
  ['the word at the cursor', bold, 'the ca¦che is cold', 'the **ca¦che** is cold'],
  ['not bold any more', bold, 'the **‹cache›** is cold', 'the ‹cache› is cold'],
  ['no word at all', bold, 'cold ¦', 'cold **¦**'],
  ['done with bold', bold, 'the **cache¦** is', 'the **cache**¦ is'],
  ['bold no more', bold, 'the **ca¦che** is', 'the ca¦che is'],
  ['no bold after all', bold, 'the **¦**', 'the ¦'],
  ['italic within bold', italic, '**‹cache›**', '***‹cache›***'],
  ['bold and italic, to bold', italic, '***‹cache›***', '****‹cache›****'],
  ['a list', lines('- '), '‹one\ntwo›', '- ‹one\n- two›'],
  ['a list no more', lines('- '), '- ‹one\n- two›', '‹one\ntwo›'],
  ['a list becomes tasks', lines('- [ ] '), '- ‹one\n- two›', '- [ ] ‹one\n- [ ] two›'],
  ['a ticked task is a task', lines('- [ ] '), '- [x] ¦done', '¦done'],
  ['numbers count', lines('1. '), '‹one\n\ntwo›', '1. ‹one\n\n2. two›'],
  ['numbers go', lines('1. '), '1. ‹one\n2. two›', '‹one\ntwo›'],
  ['a heading, indented', lines('## '), '  wa¦rm', '  ## wa¦rm'],
  ['an empty line begins one', lines('## '), '¦', '## ¦'],
  ['further in', indent(true), '- on¦e', '  - on¦e'],
  ['out again', indent(false), '‹   - one\n two›', '‹ - one\ntwo›'],
  ['code', codeBlock, 'curl ‹-v›', '```\ncurl ‹-v›\n```'],
  ['a link', link, 'see ‹the graph›', 'see [the graph](‹https://›)'],
  ['a link without words', link, 'see ¦', 'see [‹words›](https://)'],
  ['an address becomes a link', link, '‹https://a.test/x›', '[‹words›](https://a.test/x)'],
  ['a table', table, 'x¦', 'x\n\n| ‹What› | Where |\n| --- | --- |\n|  |  |\n'],
  ['the list goes on', onwards, '- one¦', '- one\n- ¦'],
  ['in the middle', onwards, '  * o¦ne', '  * o\n  * ¦ne'],
  ['with an open box', onwards, '- [x] one¦', '- [x] one\n- [ ] ¦'],
  ['with the next number', onwards, '9) nine¦', '9) nine\n10) ¦'],
  ['an empty item ends it', onwards, '- one\n- ¦', '- one\n¦'],
  ['before the item it is a line', onwards, '¦- one', null],
  ['plain words are plain', onwards, 'one¦', null],
])('%s', (_, act, before, expected) => expect(after(before, act)).toBe(expected));

test('who only reads changes nothing', () => {
  const state = EditorState.create({ doc: '- one', extensions: EditorState.readOnly.of(true) });
  const dispatch = () => expect.unreachable('it was changed');
  for (const act of [bold, lines('- '), codeBlock, link, table, onwards])
    expect(act({ state, dispatch })).toBe(false);
});

test.each([
  ['- [x] drain ¦eu-1\nnext', 'drain eu-1'],
  ['one ‹two\nthree› four', 'two\nthree'],
  ['¦', ''],
])('of %j one would note %j', (before, expected) => {
  const from = before.search(/[‹¦]/);
  const head = before.includes('›') ? before.indexOf('›') - 1 : from;
  const doc = before.replace(/[‹›¦]/g, '');
  expect(chosen(EditorState.create({ doc, selection: { anchor: from, head } }))).toBe(expected);
});

/** What becomes a to-do, with its bug. */
function becomes(text: string): [string, string | null][] {
  const from = text.search(/[‹¦]/);
  const to = text.includes('›') ? text.indexOf('›') - 1 : from;
  const state = EditorState.create({
    doc: text.replace(/[‹›¦]/g, ''),
    selection: { anchor: from, head: to },
  });
  return chosenLines(state).map(({ text, bug }) => [text, bug]);
}

test.each<[string, string, [string, string | null][]]>([
  ['the line at the cursor', 'first\n- [ ] warm¦ the cache\nlast', [['warm the cache', null]]],
  ['what is selected of it', 'first\n- [ ] ‹warm› the cache', [['warm', null]]],
  [
    'each of the lines',
    '‹- one\n\n- two\n## thr›ee',
    [
      ['one', null],
      ['two', null],
      ['three', null],
    ],
  ],
  ['with its bug', 'fix it https://bugs.example/7¦', [['fix it', 'https://bugs.example/7']]],
  ['a line that is chosen with its end', 'first\n‹- [ ] one\n›two', [['one', null]]],
  [
    'lines that are chosen with their ends',
    '‹- one\n- two\n›three',
    [
      ['one', null],
      ['two', null],
    ],
  ],
  ['nothing', '¦', []],
])('a to-do of %s', (_, text, expected) => {
  expect(becomes(text)).toEqual(expected);
});

test('a line that is too long is cut, and its end stays known', () => {
  const text = 'letters '.repeat(60).trim();
  const [turned] = chosenLines(EditorState.create({ doc: text }));
  expect([turned?.text.length, turned?.text.endsWith('…'), turned?.end]).toEqual([200, true, text.length]);
});

test('a line says by its end which entry it leads to', () => {
  const state = EditorState.create({ doc: 'one #7 \n#8 two\n', selection: { anchor: 0, head: 14 } });
  expect(chosenLines(state).map(({ entry }) => entry)).toEqual([7, null]);
});
