// Guests are marked by the server in the name itself, so that no sentence can leave it out. Where a name stands by
// itself, the mark stands beside it instead, and is never cut off with a long name.

const MARK = ' (guest)';

/** A name without its mark, where that is shown beside it. */
export function plainName({ name, guest }: { name: string; guest?: boolean }): string {
  return guest && name.endsWith(MARK) ? name.slice(0, -MARK.length) : name;
}
