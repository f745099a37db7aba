// What stands somewhere since a moment ago is not pressed by whoever meant what stood there before.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MOMENT, Settling } from './settling.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('what has stood there from the beginning can be pressed at once, and so can what stays', () => {
  const line = new Settling();
  line.shows('confirm_change 3');
  expect(line.fresh).toBe(false);
  line.shows('confirm_change 3');
  expect(line.fresh).toBe(false);
});

test('one change after another under the same button is pressed only once it has stood there for a moment', () => {
  const line = new Settling();
  line.shows('confirm_change 3');
  line.shows('confirm_change 4');
  expect(line.fresh).toBe(true);
  vi.advanceTimersByTime(MOMENT - 1);
  expect(line.fresh).toBe(true);
  vi.advanceTimersByTime(1);
  expect(line.fresh).toBe(false);
});

test('the moment begins anew with each that comes, also where nothing stood between them', () => {
  const line = new Settling();
  for (const shown of ['confirm_change 3', 'nothing', 'confirm_change 4']) {
    line.shows(shown);
    vi.advanceTimersByTime(MOMENT - 1);
  }
  expect(line.fresh).toBe(true);
  vi.advanceTimersByTime(1);
  expect(line.fresh).toBe(false);
});
