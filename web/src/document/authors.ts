// Who wrote which stretch of a text: Yjs remembers the client that each letter came from, and the server whose client
// that is.
import { type Extension, Facet, StateEffect, StateField } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView, WidgetType } from '@codemirror/view';
import * as Y from 'yjs';
import { colour, initials } from '../parts/face';
import type { Author } from './parts';

export interface Stretch {
  from: number;
  to: number;
  client: number;
}

const NOTHING = Y.emptySnapshot;

/** The stretches of a text, in order, each by one client. */
export function stretches(text: Y.Text): Stretch[] {
  if (!text.doc || text.length === 0) return [];
  const change = (type: 'removed' | 'added', { client }: Y.ID): unknown => ({ type, user: client });
  const pieces = text.toDelta(Y.snapshot(text.doc), NOTHING, change) as {
    insert: unknown;
    attributes?: { ychange?: { type: string; user: number } };
  }[];
  const all: Stretch[] = [];
  let at = 0;
  for (const { insert, attributes } of pieces) {
    const long = typeof insert === 'string' ? insert.length : 1;
    if (attributes?.ychange?.type === 'removed') continue;
    all.push({ from: at, to: at + long, client: attributes?.ychange?.user ?? 0 });
    at += long;
  }
  return all;
}

export interface Share {
  /** Null where nobody knows it. */
  author: Author | null;
  letters: number;
}

/** Neighbouring stretches of the same person are one, whatever window they were written in. */
export function byPerson(
  all: Stretch[],
  authorOf: (client: number) => Author | null,
): { from: number; to: number; author: Author | null }[] {
  const joined: { from: number; to: number; author: Author | null }[] = [];
  for (const { from, to, client } of all) {
    const author = authorOf(client);
    const last = joined.at(-1);
    if (last && last.to === from && last.author?.id === author?.id) last.to = to;
    else joined.push({ from, to, author });
  }
  return joined;
}

/** Who wrote how much, the most first. */
export function shares(all: Stretch[], authorOf: (client: number) => Author | null): Share[] {
  const found = new Map<string, Share>();
  for (const { from, to, client } of all) {
    const author = authorOf(client);
    const share = found.get(author?.id ?? '') ?? { author, letters: 0 };
    share.letters += to - from;
    found.set(author?.id ?? '', share);
  }
  return [...found.values()].sort((one, other) => other.letters - one.letters);
}

class Initials extends WidgetType {
  constructor(readonly author: Author | null) {
    super();
  }

  override eq(other: Initials): boolean {
    return other.author?.id === this.author?.id;
  }

  override toDOM(): HTMLElement {
    const badge = document.createElement('span');
    badge.className = `by-badge ${tint(this.author)}`;
    badge.textContent = this.author ? initials(this.author.name) : '?';
    badge.title = this.author?.name ?? 'nobody knows';
    badge.setAttribute('aria-hidden', 'true');
    return badge;
  }
}

const tint = (author: Author | null): string => (author ? `by-${colour(author.id)}` : 'by-nobody');

const shown = StateEffect.define<boolean>();

interface Source {
  text: Y.Text;
  authorOf: (client: number) => Author | null;
}
const source = Facet.define<Source, Source | null>({ combine: ([given]) => given ?? null });

function draw(from: Source | null): DecorationSet {
  if (from === null) return Decoration.none;
  const marks = byPerson(stretches(from.text), from.authorOf).flatMap(({ from, to, author }) => [
    Decoration.widget({ widget: new Initials(author), side: 1 }).range(from),
    Decoration.mark({
      class: `by ${tint(author)}`,
      attributes: { title: author?.name ?? 'nobody knows' },
    }).range(from, to),
  ]);
  return Decoration.set(marks, true);
}

const field = StateField.define<{ on: boolean; marks: DecorationSet }>({
  create: () => ({ on: false, marks: Decoration.none }),
  update({ on, marks }, { effects, docChanged, changes, state }) {
    const said = effects.find((effect) => effect.is(shown));
    if (said) return { on: said.value, marks: said.value ? draw(state.facet(source)) : Decoration.none };
    // What was just typed is with Yjs a moment later: see `authorship`.
    return docChanged && on ? { on, marks: marks.map(changes) } : { on, marks };
  },
  provide: (of) => EditorView.decorations.from(of, ({ marks }) => marks),
});

/** Shows who wrote what, when it is asked for by `showAuthors`. */
export function authorship(text: Y.Text, authorOf: Source['authorOf']): Extension {
  return [source.of({ text, authorOf }), field];
}

export function showAuthors(view: EditorView, on: boolean): void {
  view.dispatch({ effects: shown.of(on) });
}

export const showsAuthors = (view: EditorView): boolean => view.state.field(field).on;
