// Sends a large file in parts: after a break it goes on where it was.
import { whom } from '../api/client';
import { Sha256 } from './sha256';

/** The largest part, in bytes, and the smallest: each has to arrive within 20 seconds. */
const PART = 4 * 1024 * 1024;
const SMALLEST = 256 * 1024;
/** What is hashed at once: the page answers meanwhile. */
const HASHED = 1024 * 1024;
/** How often it is gone on without a byte having come: some five minutes. */
const TRIES = 35;
/** How often one is begun anew that the server does not know any more. */
const BEGINNINGS = 3;

/** The pause before a try, in milliseconds. */
export const pause = (tried: number): number => Math.min(250 * 2 ** tried, 10_000);

async function digest(file: Blob): Promise<string> {
  const sha256 = new Sha256();
  for (let at = 0; at < file.size; at += HASHED)
    sha256.update(new Uint8Array(await file.slice(at, at + HASHED).arrayBuffer()));
  return sha256.hex();
}

/** The last answer: it is attached, or why it is not. Throws when the server cannot be reached for long. */
export async function send(
  incident: number,
  file: Blob,
  name: string,
  far: (percent: number, waits: boolean) => void,
  wait: (milliseconds: number) => Promise<unknown> = (time) => new Promise((done) => setTimeout(done, time)),
  why: string | null = null,
): Promise<Response> {
  const as = whom.id();
  const ask = (address: string, method: string, body?: BodyInit, more: Record<string, string> = {}) =>
    fetch(address, { method, headers: { ...more, ...(as && { 'wardroom-as': as }) }, ...(body && { body }) });
  const said = JSON.stringify({ name, why, bytes: file.size, sha256: await digest(file) });
  const json = { 'content-type': 'application/json' };
  let tried = 0;
  let begun = 0;
  let length = PART;
  let upload: string | null = null;
  let at = 0;
  const percent = (): number => Math.floor((100 * at) / file.size);
  for (;;) {
    try {
      if (upload === null) {
        const answer = await ask(`/api/v1/incidents/${incident}/evidence/uploads`, 'POST', said, json);
        if (answer.status !== 201) {
          if (answer.status !== 503) return answer;
          throw new Error('not now');
        }
        ({ upload, offset: at } = (await answer.json()) as { upload: string; offset: number });
        if ((begun += 1) > BEGINNINGS) throw new Error('it does not stay');
      }
      far(percent(), false);
      const part = file.slice(at, at + length);
      const kind = { 'content-type': 'application/partial-upload', 'upload-offset': String(at) };
      const answer = await ask(upload, 'PATCH', part, kind);
      const come = answer.headers.get('upload-offset');
      if (answer.status === 404) {
        // It arrived and the answer got lost, or it was let go: beginning says which.
        upload = null;
      } else if ((answer.status === 204 || answer.status === 409) && come !== null && Number(come) > at) {
        at = Number(come);
        tried = 0;
        continue;
      } else if (![204, 408, 409, 502, 503, 504].includes(answer.status)) {
        return answer;
      }
    } catch (error) {
      if (begun > BEGINNINGS) throw error;
    }
    if ((tried += 1) > TRIES) throw new Error('it cannot be reached');
    length = Math.max(SMALLEST, length / 2);
    far(percent(), true);
    await wait(pause(tried));
    if (upload === null) continue;
    const asked = await ask(upload, 'HEAD').catch(() => null);
    if (asked?.status === 404) upload = null;
    const come = asked?.headers.get('upload-offset');
    if (come != null) {
      if (Number(come) > at) tried = 0;
      at = Number(come);
    }
  }
}
