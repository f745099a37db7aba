// The room: one incident as the server folds it, its timeline as far as it is loaded, and what is open beside it.
// Nothing is computed from events here: when one arrives, the view is read again.
import { getContext, setContext } from 'svelte';
import { Refused, get, send } from '../api/client';
import { clock } from '../api/clock.svelte';
import type { Directory, Entry, IncidentView, Person, RolePath } from '../api/types';
import { coalesced } from '../live/coalesce';
import { live } from '../live/live.svelte';
import { forgetIncident, keepIncident, knownIncident } from '../keep/incidents';
import { tellSoon } from '../presence';
import { session } from '../session.svelte';
import { Log } from './log.svelte';
import { Notes } from './notes.svelte';
import { Prompting } from './prompting.svelte';
import { Seen } from './seen';

/** So long the server may take before what was known last is shown, in milliseconds. */
const PATIENCE = 3_000;
/** The server says that there is nothing for this reader to see. */
const LOST = [403, 404, 410];
/** The longest name in a sentence, in letters. */
const NAME = 60;

/** What stands in the side panel. */
export type Panel =
  | { show: 'handoff' }
  | { show: 'assume' }
  | { show: 'change' }
  | { show: 'invite' }
  | { show: 'mark'; entry: number }
  | { show: 'first'; entries: Entry[] };

export class Room {
  view: IncidentView | null = $state.raw(null);
  /** Pinned notes, wherever they are in the log. */
  pinned: Entry[] = $state.raw([]);
  people: Person[] = $state.raw([]);
  teams: string[] = $state.raw([]);
  /** How many readings of the view were begun, and which of them is shown. */
  begun = 0;
  shown = 0;
  /** When this was received, by the server's clock. */
  asOf: number | null = $state(null);
  /** What is shown is what this browser kept: nobody has answered yet. */
  fromKeep = $state(false);
  /** Why there is nothing to see, or why what is seen may be old. */
  trouble: string | null = $state(null);
  /** Which version of the document this window shows; 0 as long as it has none from the server. */
  version = 0;
  panel: Panel | null = $state.raw(null);
  /** The role whose menu is open. */
  menu: RolePath | null = $state(null);
  /** Command changed hands while the reader was here: said until they wave it off. */
  news: Entry | null = $state.raw(null);
  /** The entry of the timeline that somebody asked to see. */
  wanted: number | null = $state(null);
  /** Somebody asked to see what differs from normal. */
  differs = $state(false);
  /** The change of which somebody was led to say how it is undone. */
  wayBack: number | null = $state(null);
  /** The services of which somebody was led to ask for permission. */
  askFor: string[] | null = $state.raw(null);
  /** The role whose card is shown, because the reader just took it. */
  card: RolePath | null = $state(null);
  /** The offer to the reader that they were last shown. */
  #waits: number | null = null;
  readonly #log = new Log(
    (after, to) => this.#between(after, to),
    (entry) => this.#settle(entry),
  );
  readonly notes: Notes;
  readonly prompting: Prompting;
  readonly seen: Seen;
  /** Reads the view again, soon: many wishes at once are one reading, four a second at the most. */
  readonly refresh = coalesced(() => this.#read());
  /** Keeps what is known for when there is no connection, a little later. */
  readonly #keep = coalesced(() => this.#kept(), 2_000);

  constructor(readonly number: number) {
    this.notes = new Notes(this);
    this.prompting = new Prompting(this);
    this.seen = new Seen(number, this.me);
  }

  get me(): string {
    return session.me?.person.id ?? '';
  }

  /** Whether the reader is a guest here. */
  get guest(): boolean {
    return session.me?.guest_of != null;
  }

  /** Oldest first, without holes, as far as they are loaded. */
  get entries(): Entry[] {
    return this.#log.entries;
  }

  get path(): string {
    return `/incidents/${this.number}`;
  }

  /** Whether the reader joined. */
  get here(): boolean {
    return this.view?.responders.some((responder) => responder.person.id === this.me) ?? false;
  }

  get open(): boolean {
    return this.view !== null && !['closed', 'merged'].includes(this.view.phase);
  }

  /** Whether anything can still be said here: a closed incident takes notes, a merged one goes on elsewhere. */
  get writable(): boolean {
    return this.view !== null && this.view.phase !== 'merged' && this.view.read_only === null;
  }

  /** What somebody is called, as far as a sentence can hold it. */
  name(id: string): string {
    const known = this.people.find((person) => person.id === id);
    const name = known?.name ?? this.view?.responders.find(({ person }) => person.id === id)?.person.name;
    if (name === undefined) return 'Somebody';
    return name.length > NAME ? `${name.slice(0, NAME)}…` : name;
  }

  /** Follows the incident until the returned function is called. */
  follow(): () => void {
    void this.whole();
    void this.#directory();
    const stop = [
      this.notes.follow(),
      live.onEntry((entry) => {
        if (entry.incident === null) void this.#directory();
        if (entry.incident !== this.number) return;
        void this.#log.arrived(entry).catch(() => undefined);
        this.refresh();
      }),
      live.onGap(() => void this.whole()),
    ];
    // A countdown may have passed without an entry that says so yet, and an entry may not have been readable when it came.
    const tick = setInterval(() => {
      this.refresh();
      const behind = this.view && this.#log.last !== this.view.last_entry;
      if (behind) void this.#log.newer().catch(() => undefined);
    }, 30_000);
    // How far telling somebody is makes no entry.
    const waiting = setInterval(() => {
      if (this.#someoneIsTold() && document.visibilityState === 'visible') this.refresh();
    }, 3_000);
    return () => {
      stop.forEach((end) => end());
      clearInterval(tick);
      clearInterval(waiting);
      this.seen.keep(this.view?.last_entry);
    };
  }

  /** Whether somebody is being told of an offer and has not seen it. */
  #someoneIsTold(): boolean {
    return this.view?.roles.some(({ offer }) => offer?.told.some((one) => one.seen_at === null)) ?? false;
  }

  /** The reader says so themselves; a hand on the page is told by the shell. */
  async present(): Promise<void> {
    await send('POST', '/presence').catch(() => undefined);
    this.refresh();
  }

  /** After an accepted command: what it did is shown at once, whether or not the stream is quick. */
  async did(): Promise<void> {
    await Promise.all([this.#read(), this.#log.newer()]).catch(() => undefined);
  }

  /** Loads entries before the oldest that is loaded. */
  async older(): Promise<void> {
    await this.#log.older();
  }

  /** Reads everything anew. */
  async whole(): Promise<void> {
    const late = setTimeout(() => void this.#reopen(), PATIENCE);
    await this.#read();
    clearTimeout(late);
    if (!this.view || this.fromKeep) return;
    try {
      await this.#log.anew(this.view.last_entry);
      this.#keep();
    } catch (error) {
      this.trouble = said(error);
    }
  }

  async #read(): Promise<void> {
    const reading = ++this.begun;
    try {
      const view = await get<IncidentView>(this.path);
      // Two readings may overtake each other on the way.
      if (!this.view || this.fromKeep || view.last_entry >= this.view.last_entry) {
        const waits = (view.next?.do === 'take' && view.next.offer) || null;
        if (waits !== null && waits !== this.#waits) tellSoon();
        this.#waits = waits;
        this.shown = reading;
        this.view = view;
        this.fromKeep = false;
      }
      this.asOf = clock.now.getTime();
      this.trouble = null;
      await this.#pins(view);
      this.#keep();
    } catch (error) {
      this.trouble = said(error);
      if (LOST.includes((error as Refused).problem.status)) await this.#lost();
      else await this.#reopen();
    }
  }

  /** Nobody answers, and nothing is there: what was known last is shown. */
  async #reopen(): Promise<void> {
    if (this.view) return;
    const known = await knownIncident(this.me, this.number, clock.now.getTime()).catch(() => null);
    if (this.view || !known) return;
    const { view, entries, pinned, people } = known.what;
    this.#log.replace(entries);
    Object.assign(this, { fromKeep: true, asOf: known.at, pinned, people, view });
  }

  async #kept(): Promise<void> {
    const { view, entries, pinned, people, asOf } = this;
    if (!view || asOf === null || this.fromKeep) return;
    await keepIncident(this.me, { view, entries, pinned, people }, asOf);
  }

  /** The reader may not see it: neither here, nor in what this browser keeps. */
  async #lost(): Promise<void> {
    this.view = null;
    this.asOf = null;
    this.#log.replace([]);
    [this.pinned, this.panel] = [[], null];
    await forgetIncident(this.me, this.number).catch(() => undefined);
  }

  async #pins({ pinned }: IncidentView): Promise<void> {
    const known = new Map([...this.pinned, ...this.entries].map((entry) => [entry.entry, entry]));
    const wanted = pinned.map((entry) => known.get(entry) ?? this.#one(entry));
    this.pinned = await Promise.all(wanted);
  }

  async #directory(): Promise<void> {
    // A guest knows those who are here, and nobody else.
    if (this.guest) return;
    // Without it, people are known by the view alone; the room works on.
    const directory = await get<Directory>('/directory').catch(() => null);
    if (!directory) return;
    // A guest of another incident is nobody who could be asked into this one.
    const known = ({ guest_of }: { guest_of: number | null }) =>
      guest_of === null || guest_of === this.number;
    this.people = directory.people.filter((person) => person.active && known(person));
    this.teams = Object.keys(directory.teams);
  }

  /** What an entry that just arrived asks of the page itself. */
  #settle(entry: Entry): void {
    const { kind, body } = entry;
    if (kind === 'redacted' && typeof body.entry === 'number') void this.#reread(body.entry);
    if (!/^(role_taken|command_assumed)$/.test(kind)) return;
    if (body.by !== this.me) {
      if ((body.role ?? 'command') === 'command') this.news = entry;
      return;
    }
    this.news = null;
    this.card = typeof body.role === 'string' ? body.role : 'command';
    if (this.card === 'command') void this.#commands(body.unseen);
  }

  /** Words that were taken out are taken out here as well. */
  async #reread(entry: number): Promise<void> {
    const without = await this.#one(entry);
    this.#log.reword(without);
    this.pinned = this.pinned.map((old) => (old.entry === without.entry ? without : old));
  }

  /** The reader has command from now on: what they have not seen comes first. */
  async #commands(unseen: unknown): Promise<void> {
    this.panel = null;
    if (!Array.isArray(unseen) || unseen.length === 0) return;
    const entries = await Promise.all(unseen.map((entry: number) => this.#one(entry)));
    this.panel = { show: 'first', entries };
  }

  /** An entry that may not be loaded; undefined where there is none. */
  async one(entry: number): Promise<Entry | undefined> {
    return (await this.#between(entry - 1, entry))[0];
  }

  async #one(entry: number): Promise<Entry> {
    const only = await this.one(entry);
    if (!only) throw new Error(`entry ${entry} of incident ${this.number} is not there`);
    return only;
  }

  async #between(after: number, to: number): Promise<Entry[]> {
    const all: Entry[] = [];
    for (let more = true, from = after; more && from < to;) {
      const limit = Math.min(1_000, to - from);
      const page = await get<{ entries: Entry[]; more: boolean }>(
        `${this.path}/events?after_entry=${from}&limit=${limit}`,
      );
      all.push(...page.entries);
      from = page.entries.at(-1)?.entry ?? to;
      more = page.more;
    }
    return all;
  }
}

function said(error: unknown): string {
  if (error instanceof Refused) return error.message;
  throw error;
}

export function provide(room: Room): void {
  setContext('room', room);
}

export function room(): Room {
  return getContext<Room>('room');
}
