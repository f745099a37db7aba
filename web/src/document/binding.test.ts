// An editor and its shared text, which must always say the same: here with a view that draws nothing.
import { EditorState, type TransactionSpec } from '@codemirror/state';
import type { EditorView, ViewUpdate } from '@codemirror/view';
import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { Binding, wordsOf } from './binding';

class Paper {
  state: EditorState;
  readonly binding: Binding;

  constructor(readonly text: Y.Text) {
    this.state = EditorState.create({ doc: wordsOf(text), extensions: EditorState.lineSeparator.of('\n') });
    this.binding = new Binding(this as unknown as EditorView, text);
  }

  dispatch(spec: TransactionSpec): void {
    const transaction = this.state.update(spec);
    this.state = transaction.state;
    this.binding.update({
      docChanged: transaction.docChanged,
      selectionSet: transaction.selection !== undefined,
      transactions: [transaction],
      changes: transaction.changes,
    } as unknown as ViewUpdate);
  }

  type(words: string, from = this.state.doc.length, to = from): void {
    const selection = { anchor: from + words.length };
    this.dispatch({ changes: { from, to, insert: words }, selection, userEvent: 'input.type' });
  }

  get words(): string {
    return this.state.doc.toString();
  }
}

/** Several windows on the same document, each with its own copy. */
function windows(count: number): Paper[] {
  const docs = Array.from({ length: count }, () => new Y.Doc());
  for (const doc of docs)
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === 'others') return;
      for (const other of docs) if (other !== doc) Y.applyUpdate(other, update, 'others');
    });
  return docs.map((doc) => new Paper(doc.getText('notes')));
}

function agree(papers: Paper[]): string {
  const [first] = papers;
  for (const paper of papers) {
    expect(paper.words).toBe(first!.words);
    expect(paper.text.toString()).toBe(first!.words);
  }
  return first!.words;
}

test('what one types stands in every window', () => {
  const papers = windows(3);
  papers[0]!.type('First cluster ');
  papers[1]!.type('warm.');
  papers[2]!.type('The f', 0, 1);
  expect(agree(papers)).toBe('The first cluster warm.');
});

test('several places changed at once arrive in their places', () => {
  const papers = windows(2);
  papers[0]!.type('one two three');
  papers[0]!.dispatch({
    changes: [
      { from: 0, to: 3, insert: '1' },
      { from: 4, to: 7, insert: 'zwei' },
      { from: 8, to: 13 },
    ],
  });
  expect(agree(papers)).toBe('1 zwei ');
});

test('undoing takes back one’s own words, and nobody else’s', () => {
  const [one, other] = windows(2) as [Paper, Paper];
  one.type('mine. ');
  other.type('theirs. ');
  one.type('more of mine. ', 0);
  one.binding.undoing.undo();
  expect(agree([one, other])).toBe('mine. theirs. ');
  one.binding.undoing.undo();
  expect(agree([one, other])).toBe('theirs. ');
  one.binding.undoing.redo();
  expect(agree([one, other])).toBe('mine. theirs. ');
  other.binding.undoing.undo();
  expect(agree([one, other])).not.toContain('theirs');
});

test('what was typed in one go is undone together, and nothing before it', () => {
  const [one] = windows(1) as [Paper];
  for (const letter of 'first') one.type(letter);
  one.type('\n');
  for (const letter of 'second') one.type(letter);
  one.dispatch({ changes: { from: 0, insert: '## ' }, userEvent: 'input.format' });
  for (const letter of ' third') one.type(letter);
  const left = ['## first\nsecond', 'first\nsecond', 'first', ''];
  for (const words of left) {
    one.binding.undoing.undo();
    expect(one.words).toBe(words);
  }
});

test('after undoing the cursor is where it was, whatever others wrote before it', () => {
  const [one, other] = windows(2) as [Paper, Paper];
  other.type('first second');
  one.binding.undoing.stopCapturing();
  one.dispatch({ selection: { anchor: 6, head: 12 } });
  one.type('2nd', 6, 12);
  other.type('>>> ', 0);
  one.binding.undoing.undo();
  expect(agree([one, other])).toBe('>>> first second');
  const { from, to } = one.state.selection.main;
  expect(one.words.slice(from, to)).toBe('second');
});

test('line ends of other systems are letters like others', () => {
  const papers = windows(2);
  papers[0]!.text.insert(0, 'a\r\nb\rc\u2028d');
  papers[1]!.type('!', 3);
  expect(agree(papers)).toBe('a\r\n!b\rc\u2028d');
});

test('what is no text at all takes the place of one letter', () => {
  const doc = new Y.Doc();
  const text = doc.getText('notes');
  text.insert(0, 'ab');
  text.insertEmbed(1, { image: 'x' });
  const paper = new Paper(text);
  text.insertEmbed(0, { image: 'y' });
  expect(paper.words).toBe('\ufffca\ufffcb');
  paper.type('c');
  expect(wordsOf(text)).toBe(paper.words);
});

/** A place between two letters: no cursor of an editor stands within one. */
const whole = (words: string, at: number): number => (/[\udc00-\udfff]/.test(words.charAt(at)) ? at + 1 : at);

test('any sequence of changes in three windows ends with the same words in all', () => {
  // A generator of our own: the same run each time.
  let seed = 7;
  const random = (below: number): number =>
    (seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff) % below;
  const papers = windows(3);
  for (let step = 0; step < 600; step += 1) {
    const paper = papers[random(3)]!;
    const { length } = paper.words;
    if (random(12) === 0) {
      paper.binding.undoing.undo();
    } else {
      const from = whole(paper.words, random(length + 1));
      const to = whole(paper.words, Math.min(length, from + random(4)));
      paper.type(['x', 'yz\n', '🔥', ''][random(4)]!, from, to);
    }
  }
  expect(agree(papers).length).toBeGreaterThan(10);
});
