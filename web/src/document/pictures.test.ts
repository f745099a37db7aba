// Which words are pictures, and that all others stay as they are.
import { expect, test } from 'vitest';
import { withPictures } from './pictures';

const HERE = `/api/v1/incidents/1/evidence/${'0f'.repeat(32)}`;

test('a picture that is kept here is shown by its name, and leads to it', () => {
  expect(withPictures(`Look: ![errors per second.png](${HERE})\nDown.`)).toEqual([
    { text: 'Look: ', picture: null },
    { text: 'errors per second.png', picture: HERE },
    { text: '\nDown.', picture: null },
  ]);
  expect(withPictures(`![](${HERE})`)).toEqual([{ text: 'picture', picture: HERE }]);
});

test.each([
  '',
  'plain',
  '![elsewhere](https://example.org/a.png)',
  `![longer](${HERE}0)`,
  `![](/api/v1/incidents/1/../../evil)`,
])('what is none stays as it was written: %s', (text) => {
  expect(
    withPictures(text)
      .map((piece) => piece.text)
      .join(''),
  ).toBe(text);
  expect(withPictures(text).every(({ picture }) => picture === null)).toBe(true);
});
