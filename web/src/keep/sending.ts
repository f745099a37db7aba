// Sends notes that wait: in their order, each once, by one window at a time.
import { Refused, send } from '../api/client';
import { clock } from '../api/clock.svelte';
import { session } from '../session.svelte';
import { forgetIncident } from './incidents';
import { type Note, change, notesOf, timed } from './notes';

/** After a failure that may pass, it is tried again, in milliseconds. */
const AGAIN = 5_000;

let again: ReturnType<typeof setTimeout> | undefined;
let running: Promise<void> = Promise.resolve();

/** One window at a time. On plain http a browser has no locks: then the request id alone keeps a note from coming twice. */
export function alone<T>(act: () => Promise<T>): Promise<T> {
  if (navigator.locks) return navigator.locks.request('wardroom.notes', act);
  const result = running.then(act);
  running = result.then(
    () => undefined,
    () => undefined,
  );
  return result;
}

/** Sends what waits for this person, as far as the server can be reached. */
export async function drain(person: string): Promise<void> {
  clearTimeout(again);
  const waits = (await notesOf(person)).some(({ refused }) => refused === null);
  if (!waits) return;
  // Who reads, and how late it is, is what the server says, not what this browser kept.
  if (session.kept) await session.look();
  if (session.kept) {
    // The server went away again before it said so: nothing else need call when it is back.
    again = setTimeout(() => void drain(person), AGAIN);
    return;
  }
  if (session.me?.person.id !== person) return;
  const done = await alone(() => all(person));
  if (!done) again = setTimeout(() => void drain(person), AGAIN);
}

async function all(person: string): Promise<boolean> {
  for (const { nr, refused } of await notesOf(person)) {
    if (refused !== null) continue;
    const note = await change(nr, (found) => timed(found, clock.now.getTime(), clock.ahead));
    if (!note) continue;
    const answered = await attempt(note);
    if (answered === 'later') return false;
    await change(nr, (found) => (answered === 'written' ? null : { ...found, refused: answered.why }));
  }
  return true;
}

async function attempt(note: Note): Promise<'written' | 'later' | { why: string }> {
  for (const happened_at of note.tried.toReversed()) {
    const { request_id, text, pin } = note;
    try {
      const asked = { request_id, command: 'note', text, pin, happened_at };
      // Theirs, whoever signs in here in this moment.
      await send('POST', `/incidents/${note.incident}/commands`, asked, note.person);
      return 'written';
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { status, code, detail } = error.problem;
      // It was written under the time of an earlier attempt, whose answer got lost.
      if (code === 'request_reused') continue;
      if (code === 'somebody_else') return 'later';
      if (status === 0 || status === 401 || status === 429 || status >= 500) return 'later';
      // The reader may not see it any more.
      if (status === 404 || status === 410)
        await forgetIncident(note.person, note.incident).catch(() => undefined);
      return { why: detail };
    }
  }
  return 'written';
}
