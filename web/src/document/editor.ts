// One editor for one part of the document: CodeMirror, bound to its `Y.Text`, for people who do not know Markdown too.
import './adopt';
import { closeCompletion, completionStatus } from '@codemirror/autocomplete';
import { Compartment, EditorState, Prec } from '@codemirror/state';
import { EditorView, type KeyBinding, highlightSpecialChars, keymap, placeholder } from '@codemirror/view';
import type { Awareness } from 'y-protocols/awareness';
import type * as Y from 'yjs';
import * as acts from './acts';
import { authorship } from './authors';
import { bound, fromText, wordsOf } from './binding';
import { type Offered, completion } from './completion';
import { MOVES } from './moves';
import { type Who, others } from './others';
import type { Author } from './parts';
import { type Around, around, styling } from './styling';
import { syntax } from './syntax';
import { tableView } from './tables';
import { tick } from './widgets';

/** What the server takes of one part, in letters. */
export const PART_MAX = 200_000;

export interface Setting {
  parent: HTMLElement;
  text: Y.Text;
  awareness: Awareness;
  label: string;
  /** The id of what says how to leave. */
  describedBy: string;
  hint: string;
  writable: boolean;
  who: Who;
  authorOf: (client: number) => Author | null;
  offered: Offered;
  around: Around;
  /** Something that whoever writes should hear. */
  say: (words: string) => void;
  leave: (view: EditorView) => void;
  /** Pictures that were pasted or dropped. */
  files: (files: File[], at: number | null) => void;
  keys?: KeyBinding[];
}

const writable = new Compartment();

const canWrite = (may: boolean) => [EditorState.readOnly.of(!may), EditorView.editable.of(may)];

/** Somebody's right ended while they wrote: until they leave, letters are still meant for the text, and do nothing. */
const overtaken = new WeakSet<EditorView>();

export function allow(view: EditorView, may: boolean): void {
  if (view.state.readOnly !== may) return;
  if (!may && view.hasFocus) overtaken.add(view);
  view.dispatch({ effects: writable.reconfigure(canWrite(may)) });
}

/** Where the cursor stands: ticks a box, opens a link, shows an entry. */
function open(view: EditorView): boolean {
  const { head } = view.state.selection.main;
  const line = view.state.doc.lineAt(head);
  const box = /^\s*(?:[-*+]|\d{1,9}[.)]) (?=\[[ xX]\] )/.exec(line.text);
  if (box) return tick(view, line.from + box[0].length);
  const { node } = view.domAtPos(line.to);
  const shown = (node instanceof Element ? node : node.parentElement)?.closest('.cm-line');
  shown?.querySelector<HTMLElement>('.md-open, .md-entry, .md-picture')?.click();
  return true;
}

/** No key traps: Tab leaves the editor, and so does Escape. */
const keysOf = (setting: Setting): KeyBinding[] => [
  { key: 'Mod-b', run: acts.around('**') },
  { key: 'Mod-i', run: acts.around('*') },
  { key: 'Mod-e', run: acts.around('`') },
  { key: 'Mod-Alt-2', run: acts.lines('## ') },
  { key: 'Mod-Shift-7', run: acts.lines('1. ') },
  { key: 'Mod-Shift-8', run: acts.lines('- ') },
  { key: 'Mod-Shift-9', run: acts.lines('- [ ] ') },
  { key: 'Mod-]', run: acts.indent(true) },
  { key: 'Mod-[', run: acts.indent(false) },
  { key: 'Mod-Enter', run: open },
  { key: 'Enter', run: acts.onwards },
  ...(setting.keys ?? []),
];

/** Before anybody else's: a list of offers that is shown closes, and otherwise one is out. */
const escape = (setting: Setting): KeyBinding => ({
  key: 'Escape',
  run: (view) => {
    if (completionStatus(view.state) === 'active') return closeCompletion(view);
    setting.leave(view);
    return true;
  },
});

/** What somebody here adds may not make a part longer than the server takes; what others wrote is never refused. */
const bounded = (say: Setting['say']) =>
  EditorState.changeFilter.of((change) => {
    const grows = change.newDoc.length > Math.max(PART_MAX, change.startState.doc.length);
    if (!change.docChanged || !grows || change.annotation(fromText)) return true;
    say(`This part holds ${PART_MAX.toLocaleString('en')} letters at the most. Attach it as a file instead.`);
    return false;
  });

function filesOf(data: DataTransfer | null): File[] {
  return [...(data?.files ?? [])];
}

const handing = (setting: Setting) =>
  EditorView.domEventHandlers({
    paste(event) {
      const files = filesOf(event.clipboardData);
      // A table copied from a spreadsheet comes as words and as a picture: words are better.
      if (files.length === 0 || event.clipboardData?.getData('text/plain')) return false;
      event.preventDefault();
      setting.files(files, null);
      return true;
    },
    drop(event, view) {
      const files = filesOf(event.dataTransfer);
      if (files.length === 0) return false;
      event.preventDefault();
      setting.files(files, view.posAtCoords({ x: event.clientX, y: event.clientY }));
      return true;
    },
    keydown(event, view) {
      const letter = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
      if (!letter || !view.state.readOnly || !overtaken.has(view)) return false;
      event.preventDefault();
      return true;
    },
    blur(_, view) {
      overtaken.delete(view);
      return false;
    },
    click(event, view) {
      // Whoever only reads opens a link by a click on its words, as anywhere.
      const words = event.target instanceof Element ? event.target.closest('.md-link') : null;
      if (!words || !(view.state.readOnly || event.ctrlKey || event.metaKey)) return false;
      for (let next = words.nextElementSibling; next; next = next.nextElementSibling)
        if (next.matches('.md-open')) return ((next as HTMLElement).click(), true);
      return false;
    },
  });

export function edit(setting: Setting): EditorView {
  const state = EditorState.create({
    doc: wordsOf(setting.text),
    extensions: [
      // Every other sign is a letter: positions here and in the shared text must never differ.
      EditorState.lineSeparator.of('\n'),
      EditorView.clipboardInputFilter.of((words) => words.replace(/\r\n?/g, '\n')),
      Prec.highest(keymap.of([escape(setting)])),
      Prec.high(keymap.of(keysOf(setting))),
      keymap.of(MOVES),
      syntax,
      around.of(setting.around),
      bound(setting.text),
      others(setting.text, setting.awareness, setting.who),
      authorship(setting.text, setting.authorOf),
      styling,
      tableView,
      completion(setting.offered),
      bounded(setting.say),
      handing(setting),
      writable.of(canWrite(setting.writable)),
      placeholder(setting.hint),
      highlightSpecialChars(),
      EditorView.lineWrapping,
      EditorView.perLineTextDirection.of(true),
      EditorView.contentAttributes.of({
        'aria-label': setting.label,
        'aria-describedby': setting.describedBy,
        spellcheck: 'true',
        autocapitalize: 'sentences',
        autocorrect: 'on',
        // Read by keyboard too where nothing can be written.
        tabindex: '0',
      }),
    ],
  });
  return new EditorView({ state, parent: setting.parent });
}
