// Pictures that are pasted into the working notes.
import type { Page } from 'playwright-core';
import { editor } from './written';

/** Pastes a file where the cursor is. */
export async function paste(page: Page, name: string, type: string, base64: string): Promise<void> {
  await editor(page).evaluate(
    (content, [name, type, base64]) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File([bytes], name, { type }));
      content.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    },
    [name, type, base64] as const,
  );
}

/** A picture of a graph, as somebody takes one of a dashboard: PNG, in base64. */
export async function graph(page: Page): Promise<string> {
  return await page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 900, height: 320 });
    const paper = canvas.getContext('2d')!;
    paper.fillStyle = '#fff';
    paper.fillRect(0, 0, 900, 320);
    paper.strokeStyle = '#ddd';
    for (let y = 40; y < 320; y += 40) paper.strokeRect(0, y, 900, 0);
    paper.strokeStyle = '#c0392b';
    paper.lineWidth = 3;
    paper.beginPath();
    for (let x = 0; x <= 900; x += 10) {
      const failing = x > 300 && x < 780 ? 200 : 10;
      paper.lineTo(x, 290 - failing - 12 * Math.sin(x / 17));
    }
    paper.stroke();
    return canvas.toDataURL('image/png').split(',')[1]!;
  });
}
