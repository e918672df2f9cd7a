// Every talk of every scenario, as on a small projector: what a sentence names is on the screen when it is said, and
// going on, going back and reloading show the same.

import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ScenarioDocument } from '../src/core/types';
import { expect, test } from './playground';
import { Projector } from './stage';

test.use({ viewport: { width: 1280, height: 720 } });

const SCENARIOS = readdirSync(fileURLToPath(new URL('../../scenarios/', import.meta.url)), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

for (const id of SCENARIOS) {
  test(`the talk ${id}`, async ({ page, playground: _ }) => {
    test.setTimeout(240_000);
    const document: ScenarioDocument = await (await page.request.get(`./scenarios/${id}.json`)).json();
    const projector = new Projector(page);
    await projector.open(id);
    const faults: string[] = [];
    const forward: string[] = [];
    for (const beat of document.beats.keys()) {
      await projector.press('PageDown', beat + 1);
      faults.push(...(await projector.faults(document, beat)));
      forward.push(await projector.picture());
    }
    expect(faults).toEqual([]);
    for (const beat of [...document.beats.keys()].slice(0, -1).reverse()) {
      await projector.press('PageUp', beat + 1);
      expect(await projector.picture(), `back at beat ${beat + 1}`).toBe(forward[beat]);
    }
    const middle = document.beats.length >> 1;
    await projector.page.goto('about:blank');
    await projector.open(id, middle + 1);
    expect(await projector.picture(), `reloaded at beat ${middle + 1}`).toBe(forward[middle]);
  });
}

test('a talk that names what is not on the screen is found out', async ({ page, playground: _ }) => {
  await page.route('**/scenarios/deadlock.json', async (route) => {
    const response = await route.fetch();
    const document: ScenarioDocument = await response.json();
    const [, , third, fourth, fifth] = document.scenes;
    // The lock view at a moment when nobody waits; a number that is nowhere; lines too many to be seen at once.
    fourth!.from_us = fourth!.until_us = 100_000;
    document.beats[4]!.sentence = `${document.beats[4]!.sentence} It is 4321 ms.`;
    fifth!.lines = { file: 'naive.py', lines: Array.from({ length: 47 }, (_, index) => index + 1) };
    third!.picture = { kind: 'cases', of: 'failed-transfers' };
    await route.fulfill({ response, json: document });
  });
  const document: ScenarioDocument = await page.request.get('./scenarios/deadlock.json').then((response) => response.json());
  document.beats[4]!.sentence = `${document.beats[4]!.sentence} It is 4321 ms.`;
  const projector = new Projector(page);
  await projector.open('deadlock', 3);
  expect(await projector.faults(document, 2)).toEqual(['deadlock, beat 3: the picture is “Cases”, not “Deadlocks”', 'deadlock, beat 3: the picture is empty']);
  await projector.press('PageDown', 4);
  expect(await projector.faults(document, 3)).toEqual(['deadlock, beat 4: the picture is empty', 'deadlock, beat 4: there is no ring in the lock view']);
  await projector.press('PageDown', 5);
  document.scenes[4]!.lines = { file: 'naive.py', lines: Array.from({ length: 47 }, (_, index) => index + 1) };
  const [hidden, number, ...further] = await projector.faults(document, 4);
  expect(hidden).toMatch(/^deadlock, beat 5: named lines that are not in view: .*47$/);
  expect(number).toBe('deadlock, beat 5: “4321” is nowhere on the screen');
  expect(further).toEqual([]);
});
