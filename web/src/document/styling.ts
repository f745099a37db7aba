// Markdown that looks like what it means while it is being written. The signs are hidden where nobody writes, and stand
// there again where the cursor is.
import { syntaxTree } from '@codemirror/language';
import { type EditorState, Facet, type Range } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView, ViewPlugin, type ViewUpdate } from '@codemirror/view';
import type { SyntaxNodeRef } from '@lezer/common';
import { ENTRY, MENTION, isEvidence, openable } from './syntax';
import { Box, EntryLink, Opener, Picture } from './widgets';

/** What the text may speak of: people by their handles, and entries of the timeline. */
export interface Around {
  nameOf: (handle: string) => string | null;
  showEntry: (entry: number) => void;
}

export const around = Facet.define<Around, Around>({
  combine: ([given]) => given ?? { nameOf: () => null, showEntry: () => undefined },
});

const line = (name: string): Decoration => Decoration.line({ class: `md-${name}` });
const mark = (name: string): Decoration => Decoration.mark({ class: `md-${name}` });
const LINES = Object.fromEntries(
  ['h1', 'h2', 'h3', 'code', 'quote', 'rule', 'item', 'done', 'row'].map((name) => [name, line(name)]),
) as Record<string, Decoration>;
const MARKS = Object.fromEntries(
  ['strong', 'em', 'struck', 'mono', 'link', 'sign', 'bullet', 'done'].map((name) => [name, mark(name)]),
) as Record<string, Decoration>;
const HIDDEN = Decoration.replace({});

const WORDS: Record<string, string> = {
  StrongEmphasis: 'strong',
  Emphasis: 'em',
  Strikethrough: 'struck',
  InlineCode: 'mono',
};
const SIGNS = /^(EmphasisMark|StrikethroughMark|CodeMark|Escape)$/;

/** Whether somebody writes at this place: then its signs stand there. */
function touched({ state, hasFocus }: EditorView, from: number, to: number): boolean {
  return hasFocus && !state.readOnly && state.selection.ranges.some((at) => at.from <= to && at.to >= from);
}

class Drawing {
  readonly #marks: Range<Decoration>[] = [];

  constructor(private readonly view: EditorView) {}

  draw(): DecorationSet {
    const { state, visibleRanges } = this.view;
    for (const { from, to } of visibleRanges) {
      syntaxTree(state).iterate({ from, to, enter: (node) => this.#node(node) });
      this.#words(state, from, to);
    }
    return Decoration.set(this.#marks, true);
  }

  #mark(what: Decoration | undefined, from: number, to: number): void {
    if (what !== undefined && from < to) this.#marks.push(what.range(from, to));
  }

  #lines(what: Decoration | undefined, from: number, to: number): void {
    if (what === undefined) return;
    const { doc } = this.view.state;
    for (let at = doc.lineAt(from); ; at = doc.line(at.number + 1)) {
      this.#marks.push(what.range(at.from));
      if (at.to >= to || at.number === doc.lines) return;
    }
  }

  /** Hides signs, unless somebody writes where they belong. */
  #sign(from: number, to: number, of: { from: number; to: number }): void {
    if (touched(this.view, of.from, of.to)) this.#mark(MARKS['sign'], from, to);
    else this.#mark(HIDDEN, from, to);
  }

  /** Whether what is inside has to be looked at too. */
  #node(node: SyntaxNodeRef): boolean | undefined {
    const { name, from, to } = node;
    const { doc } = this.view.state;
    const heading = /^(?:ATX|Setext)Heading(\d)$/.exec(name);
    if (heading) return void this.#lines(LINES[`h${Math.min(3, Number(heading[1]))}`], from, to);
    if (WORDS[name]) return void this.#mark(MARKS[WORDS[name]], from, to);
    if (name === 'HeaderMark') {
      const whole = doc.lineAt(from);
      const gap = whole.from === from && doc.sliceString(to, to + 1) === ' ' ? 1 : 0;
      return void this.#sign(from, to + gap, whole);
    }
    if (name === 'Escape') return void this.#sign(from, from + 1, node);
    if (SIGNS.test(name)) {
      const parent = node.node.parent;
      if (parent && parent.name !== 'FencedCode') this.#sign(from, to, parent);
      else this.#mark(MARKS['sign'], from, to);
      return undefined;
    }
    return this.#block(node) ?? this.#link(node);
  }

  #block(node: SyntaxNodeRef): boolean | undefined {
    const { name, from, to } = node;
    const { doc } = this.view.state;
    switch (name) {
      case 'FencedCode':
      case 'CodeBlock':
        this.#lines(LINES['code'], from, to);
        return undefined;
      case 'Blockquote':
        this.#lines(LINES['quote'], from, to);
        return undefined;
      case 'QuoteMark':
      case 'CodeInfo':
        this.#mark(MARKS['sign'], from, to);
        return undefined;
      case 'HorizontalRule':
        this.#lines(LINES['rule'], from, from);
        return undefined;
      case 'TableHeader':
      case 'TableRow':
      case 'TableDelimiter':
        if (name !== 'TableDelimiter' || to - from > 1) this.#lines(LINES['row'], from, from);
        return name === 'TableDelimiter' ? false : undefined;
      case 'ListMark': {
        this.#lines(LINES['item'], from, from);
        const sign = doc.sliceString(from, to);
        const task = node.node.nextSibling?.name === 'Task';
        if (task && /^[-*+]$/.test(sign)) this.#mark(HIDDEN, from, to + 1);
        else this.#mark(MARKS[/^[-*+]$/.test(sign) ? 'bullet' : 'sign'], from, to);
        return undefined;
      }
      case 'TaskMarker': {
        const done = doc.sliceString(from + 1, from + 2) !== ' ';
        const whole = doc.lineAt(from);
        const box = new Box(done, doc.sliceString(to, whole.to).trim(), this.view.state.readOnly);
        this.#mark(Decoration.replace({ widget: box }), from, to);
        if (done) this.#mark(MARKS['done'], to, whole.to);
        return undefined;
      }
      default:
        return undefined;
    }
  }

  #link(node: SyntaxNodeRef): boolean | undefined {
    const { name, from, to } = node;
    const { doc } = this.view.state;
    const inside = node.node;
    const address = (): string => {
      const url = inside.getChild('URL');
      return url ? doc.sliceString(url.from, url.to) : '';
    };
    const opener = (to: string, words: string, at: number): void => {
      const leads = openable(to);
      if (leads === null) return;
      this.#marks.push(Decoration.widget({ widget: new Opener(leads, words), side: 1 }).range(at));
    };
    if (name === 'Image') {
      const to_ = address();
      const words = doc.sliceString(from, to).replace(/^!\[([\s\S]*?)\]\([\s\S]*$/, '$1');
      if (!isEvidence(to_)) return void opener(to_, words, to);
      if (!touched(this.view, from, to))
        this.#mark(Decoration.replace({ widget: new Picture(to_, words) }), from, to);
      return false;
    }
    if (name === 'Link') {
      const [open, close] = inside.getChildren('LinkMark');
      const to_ = address();
      if (!open || !close || !to_) return undefined;
      this.#mark(MARKS['link'], open.to, close.from);
      if (open.to < close.from) {
        this.#sign(from, open.to, node);
        this.#sign(close.from, to, node);
      }
      opener(to_, doc.sliceString(open.to, close.from), to);
      return undefined;
    }
    if (name === 'URL' && !['Link', 'Image', 'LinkReference'].includes(inside.parent?.name ?? '')) {
      this.#mark(MARKS['link'], from, to);
      opener(doc.sliceString(from, to), '', to);
    }
    return undefined;
  }

  /** People and entries that the words speak of, outside of code and links. */
  #words(state: EditorState, from: number, to: number): void {
    const { nameOf, showEntry } = state.facet(around);
    const start = state.doc.lineAt(from).from;
    const text = state.sliceDoc(start, to);
    const plain = (at: number): boolean => {
      for (let node = syntaxTree(state).resolveInner(at, 1); node.parent; node = node.parent)
        if (/Code|URL|Link|Image|HTML|Table/.test(node.name) && node.name !== 'TableCell') return false;
      return true;
    };
    for (const found of text.matchAll(MENTION)) {
      const at = start + found.index;
      const name = nameOf(found[1] ?? '');
      if (name === null || !plain(at)) continue;
      this.#mark(
        Decoration.mark({ class: 'md-person', attributes: { title: name } }),
        at,
        at + found[0].length,
      );
    }
    for (const found of text.matchAll(ENTRY)) {
      const at = start + found.index;
      const end = at + found[0].length;
      if (!plain(at) || touched(this.view, at, end)) continue;
      const widget = new EntryLink(Number(found[1]), showEntry);
      this.#mark(Decoration.replace({ widget }), at, end);
    }
  }
}

class Styling {
  decorations: DecorationSet;

  constructor(view: EditorView) {
    this.decorations = new Drawing(view).draw();
  }

  update(update: ViewUpdate): void {
    const { docChanged, viewportChanged, selectionSet, focusChanged, startState, state } = update;
    const read = syntaxTree(startState) !== syntaxTree(state);
    const known = startState.facet(around) !== state.facet(around) || startState.readOnly !== state.readOnly;
    if (docChanged || viewportChanged || selectionSet || focusChanged || read || known)
      this.decorations = new Drawing(update.view).draw();
  }
}

/** The live styling. Boxes and entries are stepped over as one sign. */
export const styling = ViewPlugin.fromClass(Styling, {
  decorations: (plugin) => plugin.decorations,
  provide: (plugin) =>
    EditorView.atomicRanges.of((view) => {
      const all = view.plugin(plugin)?.decorations ?? Decoration.none;
      return all.update({
        filter: (_from, _to, { spec }) => (spec as { widget?: unknown }).widget instanceof Box,
      });
    }),
});
