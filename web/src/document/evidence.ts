// Keeps a picture or another file as evidence of the incident, so that the text can show it from there, or lead there.
import { requestId, whom } from '../api/client';
import type { Problem } from '../api/types';

/** What the server takes of one file, in bytes. */
const FILE_MAX = 2 * 1024 * 1024 * 1024;
/** What is larger goes in parts. */
const LARGE = 4 * 1024 * 1024;
/** What the server takes of a name, in letters. */
const NAME_MAX = 200;

export type Attached = { markdown: string } | { trouble: string };
export type Brought = { address: string; picture: boolean } | { problem: Problem };

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

/** A name in one line: without signs that show nothing, or turn others around. */
export function inLine(name: string): string {
  const plain = name
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, ' ')
    .replace(/\s+/gu, ' ')
    .trim();
  return [...plain].slice(0, NAME_MAX).join('').trim() || 'file';
}

/** Keeps a file under a name; when that takes longer, `far` is told how far it is, in percent, and whether it waits for a
 * connection. */
export async function bring(
  incident: number,
  file: File,
  name: string,
  why: string | null,
  far: (percent: number, waits: boolean) => void,
): Promise<Brought> {
  if (file.size > FILE_MAX)
    return {
      problem: {
        status: 413,
        code: 'too_large',
        detail: `It is too large: a file may have ${FILE_MAX / 1024 ** 3} GB.`,
      },
    };
  let answer: Response;
  const as = whom.id();
  // Whoever brings it again sends another id, and the same bytes are kept once all the same.
  const query = new URLSearchParams({ name, ...(why && { why }), request_id: requestId() });
  try {
    if (file.size > LARGE) {
      const { send } = await import('./sending');
      answer = await send(incident, file, name, far, undefined, why);
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
    return { problem: { status: 0, code: 'unreachable', detail: 'Wardroom cannot be reached.' } };
  }
  const said = (await answer.json().catch(() => null)) as
    Partial<Problem> | { address: string; media_type: string } | null;
  if (answer.ok && said && 'address' in said)
    return { address: String(said.address), picture: String(said.media_type).startsWith('image/') };
  const problem = said as Partial<Problem> | null;
  if (problem?.code === 'somebody_else') whom.look();
  return {
    problem: {
      ...problem,
      status: answer.status,
      code: problem?.code ?? 'unknown',
      detail: problem?.detail ?? `The server answered ${answer.status}.`,
    },
  };
}

/** Keeps a file for the text, which shows a picture and leads to anything else; `far` is told how far it is, in percent, when that takes longer. */
export async function attach(
  incident: number,
  file: File,
  far: (percent: number, waits: boolean) => void = () => {},
): Promise<Attached> {
  const name = inBrackets(file.name);
  const brought = await bring(incident, file, name, null, far);
  if ('address' in brought) {
    const link = `[${name}](${brought.address})`;
    return { markdown: brought.picture ? `!${link}` : link };
  }
  const { status, detail } = brought.problem;
  if (status === 0)
    return {
      trouble: `${file.name} could not be sent: ${detail.replace(/\.$/, '')}. Your words are safe; put it in again once it is back.`,
    };
  return { trouble: `${file.name} was not kept. ${detail}` };
}
