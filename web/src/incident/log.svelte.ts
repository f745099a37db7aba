// An incident's log as far as it is loaded. It is read in pages and told entry by entry, and both come in any order and over
// each other; whatever happens, it has no holes.
import type { Entry } from '../api/types';

/** Entries read at once. */
const PAGE = 200;

/** Reads the entries that come after one, up to another. */
type Read = (after: number, to: number) => Promise<Entry[]>;

export class Log {
  /** Oldest first, without holes. */
  entries: Entry[] = $state.raw([]);
  /** How often it was replaced: what was asked for before that may not touch what is loaded since. */
  #replaced = 0;

  constructor(
    private readonly read: Read,
    /** Told of each entry that is new to this window. */
    private readonly news: (entry: Entry) => void,
  ) {}

  get first(): number | undefined {
    return this.entries[0]?.entry;
  }

  get last(): number | undefined {
    return this.entries.at(-1)?.entry;
  }

  replace(entries: Entry[]): void {
    this.#replaced += 1;
    this.entries = entries;
  }

  /** Reads anew what leads up to an entry, and what came since. */
  async anew(to: number): Promise<void> {
    this.replace(await this.read(Math.max(0, to - PAGE), to));
    await this.newer();
  }

  /** Loads entries before the oldest that is loaded. */
  async older(): Promise<void> {
    const { first = 1 } = this;
    if (first <= 1) return;
    const replaced = this.#replaced;
    const older = await this.read(Math.max(0, first - 1 - PAGE), first - 1);
    if (replaced !== this.#replaced) return await this.older();
    this.entries = [...older.filter(({ entry }) => entry < (this.first ?? 1)), ...this.entries];
  }

  /** Loads entries after the newest that is loaded. Before any is, they come with the rest. */
  async newer(): Promise<void> {
    const { last } = this;
    if (last === undefined) return;
    const replaced = this.#replaced;
    const read = await this.read(last, Number.MAX_SAFE_INTEGER);
    if (replaced !== this.#replaced) return await this.newer();
    const { last: reached = last } = this;
    const news = read.filter(({ entry }) => entry > reached);
    this.entries = [...this.entries, ...news];
    news.forEach(this.news);
  }

  /** One was told of. */
  async arrived(entry: Entry): Promise<void> {
    const { last } = this;
    if (last === undefined || entry.entry <= last) return;
    // Others came before it that were not told of here.
    if (entry.entry > last + 1) return await this.newer();
    this.entries = [...this.entries, entry];
    this.news(entry);
  }

  /** An entry says something else from now on: words were taken out of it. */
  reword(entry: Entry): void {
    this.entries = this.entries.map((old) => (old.entry === entry.entry ? entry : old));
  }
}
