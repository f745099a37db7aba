// Exit criteria and to-dos as the lists show them: both in one shape, the open ones first. What their reader may do with
// each, the server says.
import type { Criterion, Todo } from '../api/document';
import type { Person, Time } from '../api/types';

export type Kind = 'criterion' | 'todo';

/** What may be done with one; `settle` is meeting a criterion and finishing a to-do. */
export type Act = 'reword' | 'take' | 'assign' | 'settle' | 'reopen' | 'waive' | 'link';

export interface Item {
  kind: Kind;
  id: number;
  /** Null once the words were taken out. */
  text: string | null;
  text_entry: number;
  owner: Person | null;
  owner_entry: number | null;
  bug: string | null;
  bug_entry: number | null;
  by: Person;
  at: Time;
  state: 'open' | 'done' | 'waived';
  settledBy: Person | null;
  settledAt: Time | null;
  reason: string | null;
  may: Act[];
}

export function ofCriterion({ state, settled_by, settled_at, may, ...criterion }: Criterion): Item {
  return {
    ...criterion,
    kind: 'criterion',
    state: state === 'met' ? 'done' : state,
    settledBy: settled_by,
    settledAt: settled_at,
    may: may.map((act) => (act === 'meet' ? 'settle' : act)),
  };
}

export function ofTodo({ done_by, done_at, may, ...todo }: Todo): Item {
  return {
    ...todo,
    kind: 'todo',
    state: done_at === null ? 'open' : 'done',
    settledBy: done_by,
    settledAt: done_at,
    reason: null,
    may: may.map((act) => (act === 'finish' ? 'settle' : act)),
  };
}

/** The open ones first, each in the order in which they came: so a row moves when it is done, and never otherwise. */
export function openFirst(items: Item[]): Item[] {
  const open = ({ state }: Item): boolean => state === 'open';
  return [...items.filter(open), ...items.filter((item) => !open(item))];
}

const COMMANDS: Record<Kind, Record<Exclude<Act, 'take'>, string>> = {
  criterion: {
    reword: 'reword_criterion',
    assign: 'assign_criterion',
    settle: 'meet_criterion',
    reopen: 'reopen_criterion',
    waive: 'waive_criterion',
    link: 'link_criterion',
  },
  todo: {
    reword: 'reword_todo',
    assign: 'assign_todo',
    settle: 'finish_todo',
    reopen: 'reopen_todo',
    waive: '',
    link: 'link_todo',
  },
};

/** What is asked of the server to do this with it. */
export function asked(
  { kind, id }: Pick<Item, 'kind' | 'id'>,
  act: Exclude<Act, 'take'>,
  more: Record<string, unknown> = {},
): { command: string; [field: string]: unknown } {
  // Reopening a criterion can have a reason; nobody is asked for one.
  const reason = kind === 'criterion' && act === 'reopen' ? { reason: null } : {};
  return { command: COMMANDS[kind][act], [kind]: id, ...reason, ...more };
}

/** The entry that said what this would replace, as it stands on screen: the server refuses to replace what somebody else
 * said after it. Null where nobody said anything. */
export function stands(item: Item, act: 'reword' | 'assign' | 'link'): number | null {
  return { reword: item.text_entry, assign: item.owner_entry, link: item.bug_entry }[act];
}

/** The words of a line, and the link to a bug that it ends with, if it does: as the server reads one. Taken apart here, each
 * may be as long as a line, and words that are too long are cut without their link. */
export function withBug(line: string): { text: string; bug: string | null } {
  const found = /^(.*\S)\s+(https:\/\/\S+)$/.exec(line.trim());
  return found ? { text: found[1]!, bug: found[2]! } : { text: line.trim(), bug: null };
}

/** How a bug is called in few letters: by the last piece of its link, or by whose server it is on. */
export function bugName(link: string): string {
  const [, host = link] = /^https:\/\/([^/?#]+)/.exec(link) ?? [];
  const last = link.split(/[/?#=]/).findLast((piece) => piece !== '') ?? '';
  return last !== host && last.length <= 24 ? last : host;
}
