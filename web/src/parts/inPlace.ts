// What stands in a list while a hand is on it stays where it is.
interface Numbered {
  id: number;
}

/**
 * The items in the order in which they stand already, whatever became of them, and those that are new at the end. `all`
 * knows what those have become that do not belong here any more.
 */
export function inPlace<T extends Numbered>(items: T[], order: number[], all: T[] = items): T[] {
  const known = new Map(all.map((item) => [item.id, item]));
  const standing = order.flatMap((id) => known.get(id) ?? []);
  const there = new Set(order);
  return [...standing, ...items.filter(({ id }) => !there.has(id))];
}
