// Tables, shown as tables where nobody writes in them. What takes whole lines' place has to come from the state.
import { syntaxTree } from '@codemirror/language';
import { type EditorState, type Range, StateEffect, StateField } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView } from '@codemirror/view';
import type { SyntaxNode } from '@lezer/common';
import { Table } from './widgets';

const focused = StateEffect.define<boolean>();

/** Whether the keyboard is in this editor. */
const focus = StateField.define<boolean>({
  create: () => false,
  update: (before, { effects }) => effects.find((effect) => effect.is(focused))?.value ?? before,
});

/** The rows of a table, as words without their signs. */
export function rowsOf(state: EditorState, table: SyntaxNode): string[][] {
  const rows: string[][] = [];
  for (let row = table.firstChild; row; row = row.nextSibling) {
    if (row.name !== 'TableHeader' && row.name !== 'TableRow') continue;
    const cells: string[] = [];
    let empty = true;
    for (let part = row.firstChild; part; part = part.nextSibling) {
      if (part.name === 'TableCell') {
        cells.push(words(state, part));
        empty = false;
      } else if (part.name === 'TableDelimiter') {
        // An empty cell has no node: two bars in a row stand for it.
        if (empty && part.from > row.from) cells.push('');
        empty = true;
      }
    }
    rows.push(cells);
  }
  return rows;
}

function words(state: EditorState, cell: SyntaxNode): string {
  let said = '';
  let at = cell.from;
  const leave = (node: SyntaxNode): void => {
    for (let part = node.firstChild; part; part = part.nextSibling) {
      if (/Mark$|^URL$|^LinkTitle$/.test(part.name) && part.parent?.name !== 'TableCell') {
        said += state.sliceDoc(at, part.from);
        at = part.to;
      } else {
        leave(part);
      }
    }
  };
  leave(cell);
  return (said + state.sliceDoc(at, cell.to)).trim();
}

function draw(state: EditorState): DecorationSet {
  const shown: Range<Decoration>[] = [];
  const { doc, readOnly, selection } = state;
  for (let node = syntaxTree(state).topNode.firstChild; node; node = node.nextSibling) {
    if (node.name !== 'Table') continue;
    const [from, to] = [doc.lineAt(node.from).from, doc.lineAt(node.to).to];
    const inside = selection.ranges.some((at) => at.from <= to && at.to >= from);
    if (!readOnly && state.field(focus) && inside) continue;
    const widget = new Table(rowsOf(state, node), from, readOnly);
    shown.push(Decoration.replace({ widget, block: true }).range(from, to));
  }
  return Decoration.set(shown);
}

const tables = StateField.define<DecorationSet>({
  create: draw,
  update: (_, { state }) => draw(state),
  provide: (field) => EditorView.decorations.from(field),
});

const focusing = EditorView.focusChangeEffect.of((_, has) => focused.of(has));

export const tableView = [focus, focusing, tables];
