// Figures of what a reader gets, measured in headless Chromium: start-up of the built page, and speed of the engine on one core.
// Run by `cargo xtask bench`, which serves the site (BASE_URL) and the engine's package (PACKAGE_URL).

import { chromium } from 'playwright-core';

const { BASE_URL, PACKAGE_URL, CHROMIUM } = process.env;

const rows = [];
const show = (what, value, unit, target = '') => rows.push([what, `${value} ${unit}`, target]);
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--enable-precise-memory-info'],
});

await startUp();
await longTasks();
await engineSpeed();
await browser.close();

const width = (column) => Math.max(...rows.map((row) => row[column].length));
const [first, second] = [width(0), width(1)];
for (const [what, value, target] of rows) console.log(`${what.padEnd(first)}  ${value.padStart(second)}  ${target}`);

/** Time from navigation to the recorded numbers, and to a running engine. */
async function startUp() {
  const numbers = [];
  const engine = [];
  for (let round = 0; round < 5; round++) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(BASE_URL);
    numbers.push(await mark(page, 'twoam:numbers'));
    engine.push(await mark(page, 'twoam:engine-ready'));
    await context.close();
  }
  show('first numbers painted', Math.round(median(numbers)), 'ms', 'under 1000');
  show('engine ready', Math.round(median(engine)), 'ms', 'under 1500');
}

async function mark(page, name) {
  const handle = await page.waitForFunction((it) => performance.getEntriesByName(it)[0]?.startTime, name, {
    timeout: 30_000,
  });
  return handle.jsonValue();
}

/** The longest time the page could not answer while 200 clients run. */
async function longTasks() {
  const page = await browser.newPage();
  await page.goto(BASE_URL);
  await mark(page, 'twoam:engine-ready');
  await page.evaluate(() => {
    window.longest = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.longest = Math.max(window.longest, entry.duration);
    }).observe({ type: 'longtask' });
  });
  await page.getByRole('button', { name: /^Naive, Production/ }).click();
  await page.waitForTimeout(10_000);
  const longest = await page.evaluate(() => window.longest);
  show('longest task of the page during a run', Math.round(longest), 'ms', 'none over 50');
  await page.close();
}

/** What one core does in WebAssembly, without the page. */
async function engineSpeed() {
  const documents = {};
  for (const id of ['oversell']) documents[id] = await (await fetch(`${BASE_URL}/scenarios/${id}.json`)).json();
  const page = await browser.newPage();
  await page.goto(`${PACKAGE_URL}/twoam.d.ts`);
  const figures = await page.evaluate(async (documents) => {
    const { default: init, Playground, Console } = await import('/twoam.js');
    const began = performance.now();
    const wasm = await init();
    const figures = { instantiate_ms: performance.now() - began };

    const request = (changes) => ({
      scenario: 'oversell', variant: 'naive', environment: 'production', seed: 1, knobs: {}, sources: {}, changes: [],
      ...changes,
    });
    const run = (request, until_us) => {
      const began = performance.now();
      const playground = new Playground(documents[request.scenario], request);
      const started = performance.now();
      let frame;
      for (let at = 0; at < until_us; at += 250_000) {
        while (playground.advance(at + 250_000, 1_000) < at + 250_000);
        frame = playground.frame();
        if (frame.ended) break;
      }
      const ended = performance.now();
      playground.free();
      return { load_ms: started - began, run_ms: ended - started, requests: frame.requests.started };
    };
    run(request({}), 5_000_000);
    const minute = run(request({ knobs: { clients: 200 } }), 60_000_000);
    figures.load_ms = minute.load_ms;
    figures.minute_ms = minute.run_ms;
    figures.handlers = (minute.requests / minute.run_ms) * 1000;
    figures.memory = wasm.memory.buffer.byteLength;

    const sql = new Console('CREATE TABLE t (id INT PRIMARY KEY, v INT NOT NULL)');
    const session = sql.connect();
    for (let id = 0; id < 1000; id++) sql.execute(session, `INSERT INTO t VALUES (${id}, 0)`);
    const statements = (text) => {
      let count = 0;
      const began = performance.now();
      while (performance.now() - began < 2000) {
        for (let batch = 0; batch < 100; batch++) sql.execute(session, text(count++));
      }
      return (count / (performance.now() - began)) * 1000;
    };
    figures.select = statements((n) => `SELECT v FROM t WHERE id = ${n % 1000}`);
    figures.update = statements((n) => `UPDATE t SET v = v + 1 WHERE id = ${n % 1000}`);
    return figures;
  }, documents);
  await page.close();

  show('engine instantiated', Math.round(figures.instantiate_ms), 'ms');
  show('scenario loaded', Math.round(figures.load_ms), 'ms');
  show('oversell, 200 clients, 60 virtual seconds', Math.round(figures.minute_ms), 'ms', 'under 3000');
  show('handler executions a second', Math.round(figures.handlers), '', 'at least 5000');
  show('memory of the engine after it', Math.round(figures.memory / 1e6), 'MB', 'under 150');
  show('point SELECTs a second, text', Math.round(figures.select), '', 'at least 50000');
  show('UPDATEs by key a second, text', Math.round(figures.update), '');
}
