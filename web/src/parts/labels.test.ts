// What a button is called begins with what it says (WCAG 2.5.3): who speaks to the page says what they read.
import { readFileSync, readdirSync } from 'node:fs';
import { parse } from 'svelte/compiler';
import { expect, test } from 'vitest';

interface Node {
  type: string;
  [part: string]: unknown;
}

const SOURCES = new URL('..', import.meta.url);
const isNode = (part: unknown): part is Node => typeof part === 'object' && part !== null && 'type' in part;
const inner = (part: unknown): unknown => (isNode(part) && part.type === 'Fragment' ? part.nodes : part);

/** The words that stand in it, each by itself where one of several is shown. */
function words(part: unknown): string[] {
  if (Array.isArray(part)) return part.flatMap(words);
  if (!isNode(part)) return [];
  switch (part.type) {
    case 'Text':
      return said(part.data);
    case 'Literal':
      return said(part.value);
    case 'TemplateLiteral':
      return (part.quasis as { value: { cooked: string } }[]).flatMap(({ value }) => said(value.cooked));
    case 'ExpressionTag':
      return words(part.expression);
    case 'ConditionalExpression':
    case 'IfBlock':
      return [...words(inner(part.consequent)), ...words(inner(part.alternate))];
    case 'RegularElement':
      return part.name === 'svg' || attribute(part, 'aria-hidden') ? [] : words(inner(part.fragment));
    default:
      return [];
  }
}

function said(text: unknown): string[] {
  const plain = typeof text === 'string' ? text.replace(/\s+/g, ' ').replace(/…/g, '').trim() : '';
  return /\p{L}/u.test(plain) ? [plain.toLowerCase()] : [];
}

const attribute = (element: Node, name: string): Node | undefined =>
  (element.attributes as Node[]).find((one) => one.type === 'Attribute' && one.name === name);

/** Every element of these names, wherever it stands. */
function elements(part: unknown, names: string[]): Node[] {
  if (Array.isArray(part)) return part.flatMap((one) => elements(one, names));
  if (typeof part !== 'object' || part === null) return [];
  const below = Object.values(part).flatMap((one) => elements(one, names));
  return isNode(part) && part.type === 'RegularElement' && names.includes(String(part.name))
    ? [part, ...below]
    : below;
}

/** What is said and not what it is called by, of each button and link. */
function uncalled(source: string): string[] {
  return elements(parse(source, { modern: true }).fragment, ['button', 'a', 'summary']).flatMap((element) => {
    const label = attribute(element, 'aria-label');
    const called = words(label?.value);
    return label
      ? words(inner(element.fragment)).filter((seen) => !called.some((name) => name.startsWith(seen)))
      : [];
  });
}

test('what is called otherwise than it says is found', () => {
  expect(uncalled('<button aria-label="End the permission of {name}">End it</button>')).toEqual(['end it']);
  expect(uncalled('<button aria-label="End it: the permission of {name}">End it…</button>')).toEqual([]);
  expect(uncalled(`<a href="/" aria-label="Show: {it}">{open ? 'Hide' : 'Show'}</a>`)).toEqual(['hide']);
  expect(uncalled('<button aria-label="Close"><svg><text>x</text></svg></button>')).toEqual([]);
});

test('every button and link is called by what it says first', () => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.svelte'),
  );
  expect(files.length).toBeGreaterThan(50);
  const wrong = files.flatMap((file) =>
    uncalled(readFileSync(new URL(file, SOURCES), 'utf8')).map((seen) => `${file}: ${seen}`),
  );
  expect(wrong).toEqual([]);
});
