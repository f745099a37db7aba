// What is offered while somebody types `@` or `#`: the people of the incident, and the entries of its timeline.
import {
  type Completion,
  type CompletionContext,
  type CompletionResult,
  autocompletion,
} from '@codemirror/autocomplete';
import type { Extension } from '@codemirror/state';

/** So many entries of the timeline are offered, the newest first. */
const ENTRIES = 30;
/** An entry's sentence is cut off here, in letters. */
const LETTERS = 80;

export interface Offered {
  people: () => { handle: string; name: string }[];
  /** The newest first. */
  entries: () => { entry: number; told: string }[];
}

function people(context: CompletionContext, offered: Offered): CompletionResult | null {
  const typed = context.matchBefore(/(?:^|[^\p{L}\p{N}@./_-])@[a-z0-9._-]*$/iu);
  if (!typed) return null;
  const from = typed.from + typed.text.indexOf('@');
  const options = offered.people().map(({ handle, name }): Completion => ({
    label: `@${handle}`,
    detail: name,
    apply: `@${handle} `,
  }));
  return { from, options, validFor: /^@[a-z0-9._-]*$/i };
}

function entries(context: CompletionContext, offered: Offered): CompletionResult | null {
  const typed = context.matchBefore(/(?:^|[^\p{L}\p{N}#&/_-])#[^\n#]{0,30}$/u);
  if (!typed) return null;
  const from = typed.from + typed.text.indexOf('#');
  const words = context.state.sliceDoc(from + 1, context.pos).toLowerCase();
  // A heading begins with a sign and a space; an entry is looked for by its number or its words.
  if (/^\s/.test(words)) return null;
  const found = offered
    .entries()
    .filter(({ entry, told }) => String(entry).startsWith(words) || told.toLowerCase().includes(words));
  const options = found.slice(0, ENTRIES).map(({ entry, told }, at): Completion => ({
    label: `#${entry}`,
    detail: told.length > LETTERS ? `${told.slice(0, LETTERS)}…` : told,
    boost: -at,
  }));
  // Looked for anew with each letter, at once: while a list is being looked for it takes neither Enter nor a tap.
  const update: CompletionResult['update'] = (_, __, ___, now) => entries(now, offered);
  return options.length === 0 ? null : { from, options, filter: false, update };
}

export function completion(offered: Offered): Extension {
  return autocompletion({
    // One source: where there are two, the list of one takes nothing while the other looks whether it has any.
    override: [(context) => people(context, offered) ?? entries(context, offered)],
    icons: false,
    // Nothing is chosen before somebody has chosen: Enter makes a new line.
    selectOnOpen: true,
    closeOnBlur: true,
  });
}
