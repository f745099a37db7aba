// What toolbar and keys do to the text: pure functions from a state to a change of it.
import type { StateCommand, TransactionSpec } from '@codemirror/state';
import { EditorSelection, type EditorState, type SelectionRange } from '@codemirror/state';
import { withBug } from './list';

/** Puts these signs around what is selected, or around the word at the cursor; takes them away if they are there. */
export function around(sign: string): StateCommand {
  return ({ state, dispatch }) => {
    if (state.readOnly) return false;
    const change = state.changeByRange((range) => wrap(state, range, sign));
    dispatch(state.update(change, { userEvent: 'input.format', scrollIntoView: true }));
    return true;
  };
}

function wrap(
  state: EditorState,
  range: SelectionRange,
  sign: string,
): { changes: TransactionSpec['changes'] & object; range: SelectionRange } {
  const word = range.empty ? (state.wordAt(range.head) ?? range) : range;
  const { from, to } = word;
  const long = sign.length;
  // At the end of what is bold, whoever is done with it goes on behind it.
  if (range.empty && !word.empty && range.head === to && state.sliceDoc(to, to + long) === sign)
    return { changes: [], range: EditorSelection.cursor(to + long) };
  const before = state.sliceDoc(from - long, from);
  const after = state.sliceDoc(to, to + long);
  // One star inside two is no sign of its own.
  const own = (at: number): boolean => state.sliceDoc(at, at + 1) !== sign[0];
  if (before === sign && after === sign && own(from - long - 1) && own(to + long))
    return {
      changes: [
        { from: from - long, to: from },
        { from: to, to: to + long },
      ],
      range: EditorSelection.range(range.anchor - long, range.head - long),
    };
  return {
    changes: [
      { from, insert: sign },
      { from: to, insert: sign },
    ],
    range: EditorSelection.range(range.anchor + long, range.head + long),
  };
}

/** What a line may begin with, behind its indentation. */
const BEGINNING = /^(\s*)(#{1,6} |> |[-*+] \[[ xX]\] |[-*+] |\d{1,9}[.)] )?/;

/** Makes the selected lines begin with this, or no longer: `## `, `- `, `- [ ] `, `1. `, `> `. */
export function lines(beginning: string): StateCommand {
  return ({ state, dispatch }) => {
    if (state.readOnly) return false;
    const { from, to } = state.selection.main;
    const first = state.doc.lineAt(from).number;
    const last = state.doc.lineAt(to).number;
    const all = Array.from({ length: last - first + 1 }, (_, at) => state.doc.line(first + at));
    const some = all.length === 1 ? all : all.filter((line) => line.text.trim() !== '');
    const begins = (text: string): string => BEGINNING.exec(text)?.[2] ?? '';
    const same = (is: string): boolean => is.replace(/^\d+/, '1').replace(/\[[xX]\]/, '[ ]') === beginning;
    const off = some.length > 0 && some.every((line) => same(begins(line.text)));
    const changes = some.map((line, at) => {
      const [whole = '', indent = ''] = BEGINNING.exec(line.text) ?? [];
      const insert = off ? '' : beginning.replace(/^1/, String(at + 1));
      return { from: line.from + indent.length, to: line.from + whole.length, insert };
    });
    if (changes.length === 0) return true;
    const change = state.changes(changes);
    const selection = state.selection.map(change, 1);
    dispatch(state.update({ changes: change, selection, userEvent: 'input.format', scrollIntoView: true }));
    return true;
  };
}

/** Moves the selected lines in, or out again, by two spaces. */
export function indent(inwards: boolean): StateCommand {
  return ({ state, dispatch }) => {
    if (state.readOnly) return false;
    const { from, to } = state.selection.main;
    const changes = [];
    for (let at = state.doc.lineAt(from); ; at = state.doc.line(at.number + 1)) {
      const [before = ''] = /^ {0,2}/.exec(at.text) ?? [];
      if (inwards && at.text !== '') changes.push({ from: at.from, insert: '  ' });
      else if (!inwards && before) changes.push({ from: at.from, to: at.from + before.length });
      if (at.to >= to || at.number === state.doc.lines) break;
    }
    if (changes.length > 0)
      dispatch(state.update({ changes, userEvent: 'input.indent', scrollIntoView: true }));
    return true;
  };
}

/** Fences the selected lines as code. */
export const codeBlock: StateCommand = ({ state, dispatch }) => {
  if (state.readOnly) return false;
  const { from, to } = state.selection.main;
  const [first, last] = [state.doc.lineAt(from), state.doc.lineAt(to)];
  dispatch(
    state.update({
      changes: [
        { from: first.from, insert: '```\n' },
        { from: last.to, insert: '\n```' },
      ],
      selection: { anchor: from + 4, head: to + 4 },
      userEvent: 'input.format',
      scrollIntoView: true,
    }),
  );
  return true;
};

/** Makes a link of what is selected; the address is selected, to be typed or pasted. */
export const link: StateCommand = ({ state, dispatch }) => {
  if (state.readOnly) return false;
  const { from, to } = state.selection.main;
  const words = state.sliceDoc(from, to).replaceAll('\n', ' ');
  const isAddress = /^https?:\/\/\S+$/.test(words);
  const insert = isAddress ? `[words](${words})` : `[${words || 'words'}](https://)`;
  const at = isAddress || words === '' ? from + 1 : from + words.length + 3;
  const until = isAddress || words === '' ? at + 'words'.length : at + 'https://'.length;
  dispatch(
    state.update({
      changes: { from, to, insert },
      selection: { anchor: at, head: until },
      userEvent: 'input.format',
      scrollIntoView: true,
    }),
  );
  return true;
};

const TABLE = '| What | Where |\n| --- | --- |\n|  |  |\n';

/** A table of two columns, below the line. */
export const table: StateCommand = ({ state, dispatch }) => {
  if (state.readOnly) return false;
  const line = state.doc.lineAt(state.selection.main.head);
  const gap = line.text === '' ? '\n' : '\n\n';
  const at = line.to + gap.length;
  dispatch(
    state.update({
      changes: { from: line.to, insert: gap + TABLE },
      selection: { anchor: at + 2, head: at + 6 },
      userEvent: 'input.format',
      scrollIntoView: true,
    }),
  );
  return true;
};

/** Goes on with a list on the next line; on an item without words it ends the list. */
export const onwards: StateCommand = ({ state, dispatch }) => {
  if (state.readOnly || state.selection.ranges.length > 1) return false;
  const { main } = state.selection;
  const line = state.doc.lineAt(main.from);
  const found = /^(\s*)(?:([-*+]) (\[[ xX]\] )?|(\d{1,9})([.)]) |(> ))/.exec(line.text);
  if (!found || main.from < line.from + found[0].length) return false;
  const [whole, indent = '', bullet, box, number, dot, quote] = found;
  if (line.text.length === whole.length) {
    dispatch(state.update({ changes: { from: line.from, to: line.to }, userEvent: 'delete' }));
    return true;
  }
  const next = bullet
    ? `${bullet} ${box ? '[ ] ' : ''}`
    : number
      ? `${Number(number) + 1}${dot} `
      : (quote ?? '');
  dispatch(
    state.update({
      changes: { from: main.from, to: main.to, insert: `\n${indent}${next}` },
      selection: { anchor: main.from + 1 + indent.length + next.length },
      userEvent: 'input',
      scrollIntoView: true,
    }),
  );
  return true;
};

/** What is selected, or the line at the cursor, without the signs that it begins with. */
export function chosen(state: EditorState): string {
  const { main } = state.selection;
  if (!main.empty) return state.sliceDoc(main.from, main.to).trim();
  return state.doc.lineAt(main.head).text.replace(BEGINNING, '').trim();
}

/** What the server takes of one to-do, in letters. */
const TODO_MAX = 200;

/** What becomes a to-do, and where its line ends. */
export interface Turned {
  text: string;
  bug: string | null;
  end: number;
  /** The entry that its line ends with a sign of: it may say already what became of it. */
  entry: number | null;
}

/** What is selected within a line, the line at the cursor, or each of the lines that are selected; without the signs that
 * they begin with. */
export function chosenLines(state: EditorState): Turned[] {
  const { from, to } = state.selection.main;
  const first = state.doc.lineAt(from);
  // Whoever chooses a line with its end, as a triple click does, did not choose the next one.
  const end = state.doc.lineAt(to);
  const last = to > from && to === end.from ? state.doc.lineAt(to - 1) : end;
  const within = first.number === last.number && to > from && (from > first.from || to < first.to);
  const found: Turned[] = [];
  for (let number = first.number; number <= last.number; number += 1) {
    const line = state.doc.line(number);
    const entry = Number(/#(\d+)\s*$/.exec(line.text)?.[1]) || null;
    const words = within ? chosen(state) : chosen(state.update({ selection: { anchor: line.from } }).state);
    const { text, bug } = withBug(words);
    if (text !== '') found.push({ text: shortened(text), bug, end: line.to, entry });
  }
  return found;
}

function shortened(text: string): string {
  const letters = [...text];
  return letters.length <= TODO_MAX ? text : `${letters.slice(0, TODO_MAX - 1).join('')}…`;
}
