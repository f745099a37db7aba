// Where the others are in the text: a coloured line with a name at it, and what they have selected.
import { Annotation, type Extension, type Range } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  EditorView,
  ViewPlugin,
  type ViewUpdate,
  WidgetType,
} from '@codemirror/view';
import type { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { colour } from '../parts/face';

/** How somebody who writes along is called, by the client they write with. */
export type Who = (client: number, state: Record<string, unknown>) => { id: string; name: string };

/** Somebody's cursor, as y-codemirror.next and others send it. */
export interface Cursor {
  anchor: unknown;
  head: unknown;
}

/** How often others are told where one is, in milliseconds. */
const TOLD = 60;

const moved = Annotation.define<true>();

class Caret extends WidgetType {
  constructor(
    readonly name: string,
    readonly tint: number,
  ) {
    super();
  }

  override eq(other: Caret): boolean {
    return other.name === this.name && other.tint === this.tint;
  }

  override toDOM(): HTMLElement {
    const caret = document.createElement('span');
    caret.className = `other by-${this.tint}`;
    // Read aloud it would stand in the middle of a word; who is here is said above the text.
    caret.setAttribute('aria-hidden', 'true');
    const name = document.createElement('span');
    name.className = 'other-name';
    name.textContent = this.name;
    // An empty sign that no line is broken at.
    caret.append('\u2060', name, '\u2060');
    return caret;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

/** A cursor's place in this text; null when it is in another, or somewhere that is not here yet. */
export function placeOf(cursor: Cursor, text: Y.Text): { anchor: number; head: number } | null {
  const at = (place: unknown): number | null => {
    try {
      const relative = Y.createRelativePositionFromJSON(place);
      const found = Y.createAbsolutePositionFromRelativePosition(relative, text.doc!);
      return found?.type === text ? found.index : null;
    } catch {
      // Anybody can send anything.
      return null;
    }
  };
  const [anchor, head] = [at(cursor.anchor), at(cursor.head)];
  return anchor === null || head === null ? null : { anchor, head };
}

class Others {
  decorations: DecorationSet = Decoration.none;
  readonly #hear: (changed: { added: number[]; updated: number[]; removed: number[] }) => void;
  #frame = 0;
  #telling: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly view: EditorView,
    private readonly text: Y.Text,
    private readonly awareness: Awareness,
    private readonly who: Who,
  ) {
    this.#hear = ({ added, updated, removed }) => {
      if ([...added, ...updated, ...removed].every((client) => client === awareness.clientID)) return;
      // Many move at once: one drawing.
      this.#frame ||= requestAnimationFrame(() => {
        this.#frame = 0;
        view.dispatch({ annotations: moved.of(true) });
      });
    };
    awareness.on('change', this.#hear);
    this.decorations = this.#draw();
  }

  update(update: ViewUpdate): void {
    if (update.selectionSet || update.focusChanged || update.docChanged)
      this.#telling ??= setTimeout(() => this.#tell(), TOLD);
    const heard = update.transactions.some((one) => one.annotation(moved));
    if (update.docChanged || heard) this.decorations = this.#draw();
  }

  destroy(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#telling);
    this.awareness.off('change', this.#hear);
    if (this.#mine() !== null) this.awareness.setLocalStateField('cursor', null);
  }

  /** One's own cursor, if it is in this text. */
  #mine(): { anchor: number; head: number } | null {
    const cursor = this.awareness.getLocalState()?.['cursor'] as Cursor | null | undefined;
    return cursor ? placeOf(cursor, this.text) : null;
  }

  #tell(): void {
    this.#telling = undefined;
    if (this.awareness.getLocalState() === null) return;
    const mine = this.#mine();
    const { anchor, head } = this.view.state.selection.main;
    if (!this.view.hasFocus) {
      if (mine !== null) this.awareness.setLocalStateField('cursor', null);
    } else if (mine?.anchor !== anchor || mine.head !== head) {
      const place = (at: number): unknown =>
        Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(this.text, at));
      this.awareness.setLocalStateField('cursor', { anchor: place(anchor), head: place(head) });
    }
  }

  #draw(): DecorationSet {
    const marks: Range<Decoration>[] = [];
    const { length } = this.view.state.doc;
    for (const [client, state] of this.awareness.getStates()) {
      const cursor = state['cursor'] as Cursor | null | undefined;
      if (client === this.awareness.clientID || !cursor) continue;
      const at = placeOf(cursor, this.text);
      if (at === null || Math.max(at.anchor, at.head) > length) continue;
      const { id, name } = this.who(client, state);
      const [from, to] = [Math.min(at.anchor, at.head), Math.max(at.anchor, at.head)];
      const tint = colour(id);
      if (from < to) marks.push(Decoration.mark({ class: `other-chosen by-${tint}` }).range(from, to));
      // One's own cursor stands outside of what another has selected.
      const side = at.head > at.anchor ? -1 : 1;
      marks.push(Decoration.widget({ widget: new Caret(name, tint), side }).range(at.head));
    }
    return Decoration.set(marks, true);
  }
}

export function others(text: Y.Text, awareness: Awareness, who: Who): Extension {
  return ViewPlugin.define((view) => new Others(view, text, awareness, who), {
    decorations: (plugin) => plugin.decorations,
  });
}
