// What becomes of documents that this browser keeps when somebody signs out: they go, because another person may use it
// next. Words that were not sent would go with them, and that is said before.
import { notesOf } from '../keep/notes';
import { forgetAll } from '../keep/states';
import { DATABASE, unsentOf } from './database';

/** Whom this window has warned. */
let warned: string | null = null;

/** Why this person should not sign out yet; null when nothing is lost by it, or when they were told. */
async function notes(person: string): Promise<string | null> {
  const waiting = await notesOf(person).catch(() => []);
  const numbers = [...new Set(waiting.map(({ incident }) => `#${incident}`))].sort();
  return numbers.length === 0
    ? null
    : `Notes of yours in ${numbers.join(', ')} are not sent yet, and would be lost.`;
}

export async function warning(person: string): Promise<string | null> {
  // A browser that keeps nothing has nothing to lose.
  const unsent = warned === person ? null : await notes(person);
  const places = warned === person ? [] : await unsentOf(person).catch(() => []);
  warned = person;
  const numbers = [...new Set(places.map(({ incident }) => `#${incident}`))].sort();
  if (numbers.length === 0) return unsent;
  return `${unsent === null ? '' : `${unsent} `}What you wrote into the document of ${numbers.join(', ')} is not sent yet, and would be lost. Open it, and wait until it says “saved”.`;
}

/** Throws away all that this browser keeps. Other windows let go of it by themselves. */
export function forget(): void {
  warned = null;
  void forgetAll({ notes: true }).catch(() => undefined);
  try {
    indexedDB.deleteDatabase(DATABASE);
  } catch {
    // It may keep nothing.
  }
}
