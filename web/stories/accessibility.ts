// What axe finds on a page, and what is too faint to be read. Nothing, is what the stories ask for.
import axe from 'axe-core';
import type { Page } from 'playwright-core';

export async function faults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return await page.evaluate(async () => {
    const { violations } = await (window as unknown as { axe: typeof axe }).axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return violations.map(
      (fault) => `${fault.id}: ${fault.nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`,
    );
  });
}

/** Buttons that do nothing now and are too faint to be read, which axe leaves to everybody's taste. */
export async function faint(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    const canvas = document.createElement('canvas').getContext('2d')!;
    const rgba = (colour: string): number[] => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const over = ([r, g, b, a]: number[], below: number[], opacity = 1): number[] =>
      [r, g, b].map((one, at) => {
        const part = (a! / 255) * opacity;
        return one! * part + below[at]! * (1 - part);
      });
    const light = (colour: number[]): number => {
      const [r, g, b] = colour.map((one) =>
        one / 255 <= 0.04045 ? one / 255 / 12.92 : ((one / 255 + 0.055) / 1.055) ** 2.4,
      );
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
    };
    const behind = (element: Element | null): number[] =>
      element
        ? over(rgba(getComputedStyle(element).backgroundColor), behind(element.parentElement))
        : [255, 255, 255];
    const buttons = [...document.querySelectorAll('button:disabled, button[aria-disabled="true"]')];
    return buttons.flatMap((button) => {
      const { color, opacity } = getComputedStyle(button);
      const below = behind(button);
      const [one, other] = [light(over(rgba(color), below, Number(opacity))), light(below)];
      const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      return contrast < 4.5 ? [`${button.textContent.trim()}: ${contrast.toFixed(2)}`] : [];
    });
  });
}
