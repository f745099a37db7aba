// Keeps a picture or another file as evidence of the incident, so that the text can show it from there, or lead there.
import { requestId, whom } from '../api/client';
import type { Problem } from '../api/types';

/** What the server takes of one file, in bytes. */
const FILE_MAX = 2 * 1024 * 1024 * 1024;
/** What is larger goes in parts. */
const LARGE = 4 * 1024 * 1024;

export type Attached = { markdown: string } | { trouble: string };

/** A name as it may stand between brackets. */
export function inBrackets(name: string): string {
  return (
    name
      .replace(/[\p{Cc}[\]\\<>]/gu, ' ')
      .replace(/\s+/gu, ' ')
      .trim()
      .slice(0, 100) || 'picture'
  );
}

/** Keeps a file; when that takes longer, `far` is told how far it is, in percent, and whether it waits for a connection. */
export async function attach(
  incident: number,
  file: File,
  far: (percent: number, waits: boolean) => void = () => {},
): Promise<Attached> {
  if (file.size > FILE_MAX)
    return { trouble: `${file.name} is too large: a file may have ${FILE_MAX / 1024 ** 3} GB.` };
  let answer: Response;
  const as = whom.id();
  // Whoever puts it in again sends another id, and the same bytes are kept once all the same.
  const query = new URLSearchParams({ name: inBrackets(file.name), request_id: requestId() });
  try {
    if (file.size > LARGE) {
      const { send } = await import('./sending');
      answer = await send(incident, file, inBrackets(file.name), far);
    } else
      answer = await fetch(`/api/v1/incidents/${incident}/evidence?${query}`, {
        method: 'POST',
        headers: {
          'content-type': file.type || 'application/octet-stream',
          ...(as && { 'wardroom-as': as }),
        },
        body: file,
      });
  } catch {
    return {
      trouble: `${file.name} could not be sent: Wardroom cannot be reached. Your words are safe; put it in again once it is back.`,
    };
  }
  const said = (await answer.json().catch(() => null)) as
    Partial<Problem> | { address: string; media_type: string } | null;
  if (answer.ok && said && 'address' in said) {
    const link = `[${inBrackets(file.name)}](${String(said.address)})`;
    return { markdown: String(said.media_type).startsWith('image/') ? `!${link}` : link };
  }
  if ((said as Partial<Problem> | null)?.code === 'somebody_else') whom.look();
  const why = (said as Partial<Problem> | null)?.detail ?? `The server answered ${answer.status}.`;
  return { trouble: `${file.name} was not kept. ${why}` };
}
