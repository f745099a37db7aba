// What goes over the document's socket: y-websocket's messages, and those that Wardroom adds for its own page
// (100 to 104). Pure: bytes in, a message out, or an error when they are none.
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import type { Author, Changed, PartName } from './parts';

/** What our page asks for; to whoever asks for it the server also says 100 to 104. */
export const SUBPROTOCOL = 'wardroom.document.1';

const SYNC = 0;
const AWARENESS = 1;
const ASK_AWARENESS = 3;
const SAVED = 100;
const MAY = 101;
const AUTHORS = 102;
const CLOCK = 103;
const FULL = 104;

const STEP_1 = 0;
const STEP_2 = 1;
const UPDATE = 2;

export type Heard =
  /** The other side says what it has, and asks for the rest. */
  | { is: 'step1'; vector: Uint8Array }
  /** The rest that was asked for. */
  | { is: 'step2'; update: Uint8Array }
  | { is: 'update'; update: Uint8Array }
  | { is: 'awareness'; states: Uint8Array }
  | { is: 'awareness asked' }
  /** So many of the updates that this socket carried are on disk. */
  | { is: 'saved'; count: number }
  /** Whether one may write now, and if not, why. */
  | { is: 'may'; may: boolean; why: string }
  /** By client id. */
  | { is: 'authors'; authors: Record<string, Author> }
  /** When each part last changed. */
  | { is: 'clock'; version: number; parts: Partial<Record<PartName, Changed>> }
  /** What was written last does not fit any more: why. */
  | { is: 'full'; why: string }
  /** Of a newer server: nothing that has to be understood. */
  | { is: 'other'; type: number };

function written(write: (to: encoding.Encoder) => void): Uint8Array {
  const to = encoding.createEncoder();
  write(to);
  return encoding.toUint8Array(to);
}

function sync(step: number, bytes: Uint8Array): Uint8Array {
  return written((to) => {
    encoding.writeVarUint(to, SYNC);
    encoding.writeVarUint(to, step);
    encoding.writeVarUint8Array(to, bytes);
  });
}

export const step1 = (vector: Uint8Array): Uint8Array => sync(STEP_1, vector);
export const step2 = (update: Uint8Array): Uint8Array => sync(STEP_2, update);
export const update = (bytes: Uint8Array): Uint8Array => sync(UPDATE, bytes);

export const awareness = (states: Uint8Array): Uint8Array =>
  written((to) => {
    encoding.writeVarUint(to, AWARENESS);
    encoding.writeVarUint8Array(to, states);
  });

export const askAwareness = (): Uint8Array => written((to) => encoding.writeVarUint(to, ASK_AWARENESS));

/** Reads one message. Throws on what is none. */
export function read(bytes: Uint8Array): Heard {
  const from = decoding.createDecoder(bytes);
  const type = decoding.readVarUint(from);
  switch (type) {
    case SYNC:
      return readSync(from);
    case AWARENESS:
      return { is: 'awareness', states: decoding.readVarUint8Array(from) };
    case ASK_AWARENESS:
      return { is: 'awareness asked' };
    case SAVED:
      return { is: 'saved', count: decoding.readVarUint(from) };
    case MAY:
      return { is: 'may', may: decoding.readVarUint(from) === 1, why: decoding.readVarString(from) };
    case AUTHORS:
      return { is: 'authors', authors: JSON.parse(decoding.readVarString(from)) as Record<string, Author> };
    case CLOCK:
      return {
        is: 'clock',
        version: decoding.readVarUint(from),
        parts: JSON.parse(decoding.readVarString(from)) as Partial<Record<PartName, Changed>>,
      };
    case FULL:
      return { is: 'full', why: decoding.readVarString(from) };
    default:
      return { is: 'other', type };
  }
}

function readSync(from: decoding.Decoder): Heard {
  const step = decoding.readVarUint(from);
  const bytes = decoding.readVarUint8Array(from);
  if (step === STEP_1) return { is: 'step1', vector: bytes };
  if (step === STEP_2) return { is: 'step2', update: bytes };
  if (step === UPDATE) return { is: 'update', update: bytes };
  throw new Error(`no such step of the document's protocol: ${step}`);
}
