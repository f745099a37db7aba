// Binds an editor to its `Y.Text`: what is typed goes into the text, what others write comes out of it, and undoing
// takes back one's own words alone.
import { Annotation, type ChangeSet, type Extension, Transaction } from '@codemirror/state';
import { EditorView, type KeyBinding, ViewPlugin, type ViewUpdate, keymap } from '@codemirror/view';
import * as Y from 'yjs';

/** A change that came out of the text, and does not go back into it. */
export const fromText = Annotation.define<true>();

/** What is no letter takes the place of one: positions here and there must not differ. */
const OBJECT = '\ufffc';
const letters = (insert: unknown): string => (typeof insert === 'string' ? insert : OBJECT);

/** A selection that stays where it is while others write. */
interface Place {
  anchor: Y.RelativePosition;
  head: Y.RelativePosition;
}

export class Binding {
  readonly undoing: Y.UndoManager;
  /** What was selected before the change that is being made. */
  #before: Place;
  /** What was changed last here, and where that ended. */
  readonly #last: { kind: string | null; at: number } = { kind: null, at: 0 };
  readonly #changed: (event: Y.YTextEvent, transaction: Y.Transaction) => void;

  constructor(
    private readonly view: EditorView,
    private readonly text: Y.Text,
  ) {
    this.#before = this.#place();
    this.#changed = (event, { origin }) => {
      if (origin !== this) this.#take(event);
    };
    text.observe(this.#changed);
    this.undoing = new Y.UndoManager(text, { trackedOrigins: new Set([this]) });
    this.undoing.on('stack-item-added', ({ stackItem }) => {
      if (!stackItem.meta.has(this)) stackItem.meta.set(this, this.#before);
    });
    this.undoing.on('stack-item-popped', ({ stackItem }) => this.#select(stackItem.meta.get(this) as Place));
  }

  update({ docChanged, selectionSet, transactions, changes }: ViewUpdate): void {
    const mine = docChanged && !transactions.some((one) => one.annotation(fromText));
    if (mine) {
      if (!this.#goesOn(transactions, changes)) this.undoing.stopCapturing();
      this.text.doc!.transact(() => {
        let shift = 0;
        changes.iterChanges((from, to, _from, _to, insert) => {
          const words = insert.sliceString(0, insert.length, '\n');
          if (to > from) this.text.delete(from + shift, to - from);
          if (words) this.text.insert(from + shift, words);
          shift += words.length - (to - from);
        });
      }, this);
    }
    if (mine || selectionSet) this.#before = this.#place();
  }

  /** Whether a change goes on with the one before: they are undone together. */
  #goesOn(transactions: readonly Transaction[], changes: ChangeSet): boolean {
    const event = transactions[0]?.annotation(Transaction.userEvent) ?? '';
    const kind = /^(input\.type|delete\.(?:back|for)ward)/.exec(event)?.[0] ?? null;
    let [near, line] = [true, false];
    changes.iterChanges((from, to, _from, end, insert) => {
      near &&= from === this.#last.at || to === this.#last.at;
      line ||= insert.lines > 1;
      this.#last.at = end;
    });
    const same = kind !== null && kind === this.#last.kind && near && !line;
    this.#last.kind = kind;
    return same;
  }

  destroy(): void {
    this.text.unobserve(this.#changed);
    this.undoing.destroy();
  }

  #take({ delta }: Y.YTextEvent): void {
    const changes: { from: number; to: number; insert: string }[] = [];
    let at = 0;
    for (const step of delta) {
      if (step.insert !== undefined) {
        changes.push({ from: at, to: at, insert: letters(step.insert) });
      } else if (step.delete !== undefined) {
        changes.push({ from: at, to: at + step.delete, insert: '' });
        at += step.delete;
      } else {
        at += step.retain ?? 0;
      }
    }
    this.view.dispatch({ changes, annotations: fromText.of(true), filter: false });
    this.#last.at = this.view.state.selection.main.head;
  }

  #place(): Place {
    const { anchor, head } = this.view.state.selection.main;
    const at = (index: number): Y.RelativePosition => Y.createRelativePositionFromTypeIndex(this.text, index);
    return { anchor: at(anchor), head: at(head) };
  }

  #select(place: Place | undefined): void {
    const at = (relative: Y.RelativePosition): number | undefined =>
      Y.createAbsolutePositionFromRelativePosition(relative, this.text.doc!)?.index;
    const [anchor, head] = place ? [at(place.anchor), at(place.head)] : [];
    if (anchor === undefined || head === undefined) return;
    this.view.dispatch({ selection: { anchor, head }, scrollIntoView: true });
  }
}

export function bound(text: Y.Text): Extension {
  const plugin = ViewPlugin.define((view) => new Binding(view, text));
  const undo = (view: EditorView): boolean => (view.plugin(plugin)?.undoing.undo(), true);
  const redo = (view: EditorView): boolean => (view.plugin(plugin)?.undoing.redo(), true);
  const keys: KeyBinding[] = [
    { key: 'Mod-z', run: undo, preventDefault: true },
    { key: 'Mod-y', mac: 'Mod-Shift-z', run: redo, preventDefault: true },
    { key: 'Mod-Shift-z', run: redo, preventDefault: true },
  ];
  // The browser's own menu, and the shake of a phone.
  const menu = EditorView.domEventHandlers({
    beforeinput({ inputType }, view) {
      if (inputType === 'historyUndo') return undo(view);
      return inputType === 'historyRedo' && redo(view);
    },
  });
  return [plugin, keymap.of(keys), menu];
}

/** What the text says, letter by letter as the editor counts. */
export function wordsOf(text: Y.Text): string {
  return (text.toDelta() as { insert: unknown }[]).map(({ insert }) => letters(insert)).join('');
}
