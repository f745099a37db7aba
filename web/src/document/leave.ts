// What becomes of documents that this browser keeps when somebody signs out: they go, because another person may use it
// next. Words that were not sent would go with them, and that is said before.
import { notesOf } from '../keep/notes';
import { forgetAll } from '../keep/states';
import { DATABASE, unsentOf } from './database';

/** What this window has warned of: whose words, and which. */
let warned = '';

/** Why this person should not sign out yet; null when nothing is lost by it, or when they were told of all that is. */
export async function warning(person: string): Promise<string | null> {
  // A browser that keeps nothing has nothing to lose.
  const [notes, places] = await Promise.all([
    notesOf(person).catch(() => []),
    unsentOf(person).catch(() => []),
  ]);
  // Whoever stayed, and wrote more, has more to lose than they were told.
  const now = JSON.stringify([person, notes.map(({ request_id }) => request_id), places]);
  if (now === warned) return null;
  warned = now;
  const said = [];
  if (notes.length > 0) said.push(`Notes of yours in ${numbers(notes)} are not sent yet, and would be lost.`);
  if (places.length > 0)
    said.push(
      `What you wrote into the document of ${numbers(places)} is not sent yet, and would be lost. Open it, and wait until it says “saved”.`,
    );
  return said.join(' ') || null;
}

function numbers(of: { incident: number }[]): string {
  return [...new Set(of.map(({ incident }) => `#${incident}`))].sort().join(', ');
}

/** Throws away all that this browser keeps. Other windows let go of it by themselves. */
export function forget(): void {
  warned = '';
  void forgetAll({ notes: true }).catch(() => undefined);
  try {
    indexedDB.deleteDatabase(DATABASE);
  } catch {
    // It may keep nothing.
  }
}
