import { expect, test } from 'vitest';
import { wayOf } from './worth';

const worth = { service: 'search', what: 'graphs', how: '', why: null };

test('a URL is kept by a button, a command is copied, and what is under way needs nobody', () => {
  const url = 'https://graphs.example.org/search.png';
  expect(wayOf({ ...worth, how: url, stands: 'not_kept', why: 'its host was not reached' }, 7)).toEqual({
    url,
    command: null,
    note: 'Not kept by itself: its host was not reached.',
  });
  expect(wayOf({ ...worth, how: 'kubectl get pods', stands: 'by_hand' }, 7)).toEqual({
    url: null,
    command: 'wardroom run 7 --look -- kubectl get pods',
    note: null,
  });
  for (const how of [url, 'capture:pods'])
    expect(wayOf({ ...worth, how, stands: 'under_way' }, 7)).toEqual({
      url: null,
      command: null,
      note: 'Wardroom is keeping it.',
    });
  expect(wayOf({ ...worth, how: 'capture:pods', stands: 'only_shown' }, 7).command).toBe(null);
  expect(wayOf({ ...worth, how: null, stands: 'by_hand' }, 7).command).toBe(null);
});
