import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What axe finds, of the whole page or of what changed on it. */
export async function complaints(page: Page, where = 'html'): Promise<string[]> {
  const axe = new AxeBuilder({ page }).include(where).options({
    runOnly: { type: 'tag', values: TAGS },
    // Counted as experimental, but whoever speaks to the page says what stands there.
    rules: { 'label-content-name-mismatch': { enabled: true } },
  });
  const { violations } = await axe.analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}
