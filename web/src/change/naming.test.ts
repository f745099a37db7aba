import { expect, test } from 'vitest';
import { choices, toName, withoutName } from './naming';

test('what the incident affects is offered first, and nothing twice', () => {
  expect(choices(['search', 'frontend'], ['index', 'search', 'checkout'])).toEqual([
    'search',
    'frontend',
    'checkout',
    'index',
  ]);
});

test('a line goes without its name once that is said, and nothing else of it goes', () => {
  expect(withoutName('EU-1/cards: drained: both', 'eu-1/cards')).toBe('drained: both');
  expect(withoutName('eu-1: drained', 'eu-2')).toBe('eu-1: drained');
  expect(withoutName('drained', 'drained')).toBe('drained');
  expect(withoutName('eu-1: ', 'eu-1')).toBe('eu-1: ');
});

const refused = (remedy: unknown) => ({ status: 409, code: 'unknown_service', detail: '', remedy });

test('only what asks for a service to be named does so', () => {
  expect(toName(refused({ do: 'name_service', service: 'fax-2' }))).toBe('fax-2');
  expect(toName(refused({ do: 'join' }))).toBeNull();
  expect(toName(refused(undefined))).toBeNull();
  expect(toName(null)).toBeNull();
});
