import { describe, expect, test } from 'vitest';
import type { Answered, Sample, LockWait, Span, Timeline } from '../src/core/types';
import { lines } from '../src/draw/code';
import { cost, moment, span as duration, write } from '../src/draw/format';
import { askedInWords, firstDivergence } from '../src/draw/divergence';
import { steadied } from '../src/draw/lanes';
import { forest } from '../src/draw/locks';
import { activeLinesInWords } from '../src/draw/activeLines';
import { tableColumns } from '../src/draw/schema';
import { columns, cut, stride } from '../src/draw/series';
import { at, busyLanes, draw, neighbour } from '../src/draw/timeline';

function span(lane: number, from_us: number, to_us: number | null, family: Span['family'], label: string): Span {
  return { lane, from_us, to_us, family, label, request: 1, file: 'naive.py', line: 3, details: [] };
}

const timeline: Timeline = {
  lanes: [
    { family: 'client', label: 'client 1' },
    { family: 'client', label: 'client 2' },
    { family: 'service', label: 'payments' },
  ],
  spans: [
    span(0, 1_000, 9_000, 'request', '201'),
    span(0, 1_500, 3_000, 'statement', 'SELECT stock FROM products'),
    span(1, 2_000, 6_000, 'lock-wait', 'waits for client 1'),
    span(0, 3_000, 5_000, 'service', 'charge'),
    span(1, 6_000, null, 'statement', 'UPDATE products'),
  ],
  arrows: [{ at_us: 2_000, from_lane: 1, to_lane: 0 }],
  spans_left_out: 0,
};

describe('timeline', () => {
  const window = { from_us: 0, to_us: 10_000, known_us: 10_000, width: 500, top: 0, height: 100, rows: [0, 1, 2] };

  test('a stretch as shapes', () => {
    expect(draw(timeline, window)).toMatchInlineSnapshot(`
      {
        "arrows": [
          {
            "fromY": 33,
            "toY": 11,
            "x": 100,
          },
        ],
        "bars": [
          {
            "family": "request",
            "height": 2,
            "label": "",
            "span": 0,
            "width": 400,
            "x": 50,
            "y": 18,
          },
          {
            "family": "statement",
            "height": 13,
            "label": "SELECT stock FROM products",
            "span": 1,
            "width": 75,
            "x": 75,
            "y": 4,
          },
          {
            "family": "lock-wait",
            "height": 13,
            "label": "waits for client 1",
            "span": 2,
            "width": 200,
            "x": 100,
            "y": 26,
          },
          {
            "family": "service",
            "height": 13,
            "label": "charge",
            "span": 3,
            "width": 100,
            "x": 150,
            "y": 4,
          },
          {
            "family": "statement",
            "height": 13,
            "label": "UPDATE products",
            "span": 4,
            "width": 200,
            "x": 300,
            "y": 26,
          },
        ],
        "lanes": [
          {
            "family": "client",
            "label": "client 1",
            "y": 0,
          },
          {
            "family": "client",
            "label": "client 2",
            "y": 22,
          },
          {
            "family": "service",
            "label": "payments",
            "y": 44,
          },
        ],
        "tick_us": 5000,
        "ticks": [
          {
            "at_us": 0,
            "x": 0,
          },
          {
            "at_us": 5000,
            "x": 250,
          },
          {
            "at_us": 10000,
            "x": 500,
          },
        ],
      }
    `);
  });

  test('lanes outside of the view are left out', () => {
    const { lanes, bars } = draw(timeline, { ...window, top: 44, height: 22 });
    expect(lanes.map(({ label }) => label)).toEqual(['payments']);
    expect(bars).toEqual([]);
  });

  test('only lanes in which something goes on around the window have a row', () => {
    expect(busyLanes(timeline, 0, 10_000, 10_000)).toEqual([0, 1]);
    // The last statement of client 2 has not ended; client 1 has been done for longer than the window is wide.
    expect(busyLanes(timeline, 60_000, 70_000, 80_000)).toEqual([1]);
    const { lanes, bars } = draw(timeline, { ...window, rows: [1] });
    expect(lanes).toEqual([{ family: 'client', label: 'client 2', y: 0 }]);
    expect(bars.map(({ span, y }) => ({ span, y }))).toEqual([{ span: 2, y: 4 }, { span: 4, y: 4 }]);
  });

  test('fifty thousand spans become no more bars than there are pixels for', () => {
    const spans = Array.from({ length: 50_000 }, (_, index) => span(index % 3, index * 20, index * 20 + 10, 'statement', 'SELECT 1'));
    const { bars } = draw({ ...timeline, spans }, { from_us: 0, to_us: 1_000_000, known_us: 1_000_000, width: 800, top: 0, height: 100, rows: [0, 1, 2] });
    expect(bars.length).toBeLessThanOrEqual(3 * 801);
    expect(bars.length).toBeGreaterThan(1_000);
  });

  test('a point finds what a request does before the request', () => {
    const drawing = draw(timeline, window);
    expect(at(drawing, 100, 10)).toBe(1);
    expect(at(drawing, 400, 19)).toBe(0);
    expect(at(drawing, 10, 10)).toBeNull();
  });

  test('arrow keys go along a lane and between lanes', () => {
    expect(neighbour(timeline.spans, null, 'right')).toBe(0);
    expect(neighbour(timeline.spans, 0, 'right')).toBe(1);
    expect(neighbour(timeline.spans, 1, 'down')).toBe(2);
    expect(neighbour([span(0, 0, 1, 'statement', 'a'), span(7, 5, 6, 'statement', 'b'), span(9, 0, 1, 'statement', 'c')], 0, 'down')).toBe(1);
    expect(neighbour(timeline.spans, 4, 'down')).toBe(4);
    expect(neighbour(timeline.spans, 4, 'right')).toBe(4);
  });
});

describe('code', () => {
  const source = 'async def buy(conn):\n    """Sell."""\n    x = f"{1}"  # one\n';

  test('the pieces are the source', () => {
    expect(lines(source, 'python').map((pieces) => pieces.map(({ text }) => text).join('')).join('\n')).toBe(source);
  });

  test('roles of Python and SQL', () => {
    expect(lines(source, 'python')[0]).toEqual([
      { role: 'keyword', text: 'async' },
      { role: 'plain', text: ' ' },
      { role: 'keyword', text: 'def' },
      { role: 'plain', text: ' ' },
      { role: 'name', text: 'buy' },
      { role: 'plain', text: '(conn):' },
    ]);
    expect(lines("SELECT 'it''s' -- all", 'sql')[0]?.map(({ role }) => role)).toEqual(['keyword', 'plain', 'string', 'plain', 'comment']);
  });

  test('an unfinished string does not swallow the next line', () => {
    expect(lines('x = "open\ny = 1', 'python')[1]?.[0]).toEqual({ role: 'plain', text: 'y = ' });
  });
});

describe('numbers', () => {
  test('each unit as it is read', () => {
    expect(write(1234, 'count')).toEqual({ value: '1,234', unit: '' });
    expect(write(8.25, 'ms')).toEqual({ value: '8.3', unit: 'ms' });
    expect(write(12_400, 'ms')).toEqual({ value: '12.4', unit: 's' });
    expect(write(120_050, 'cents')).toEqual({ value: '1,200.50', unit: '$' });
    expect(write(0.031, 'ratio')).toEqual({ value: '3.1', unit: '%' });
    expect(write(1536, 'bytes')).toEqual({ value: '1.5', unit: 'KB' });
    expect(write(null, 'ms').value).toBe('–');
  });

  test('moments and durations', () => {
    expect(moment(4_250_000)).toBe('4.250 s');
    expect(moment(64_250_000)).toBe('1:04.250');
    expect([duration(340), duration(12_400), duration(1_300_000)]).toEqual(['340 µs', '12.4 ms', '1.30 s']);
  });

  test('where clients stand', () => {
    expect(
      activeLinesInWords([
        { file: 'naive.py', line: 9, clients: 1, lock_waits: 1, pool_waits: 0 },
        { file: 'naive.py', line: 12, clients: 38, lock_waits: 4, pool_waits: 0 },
      ]),
    ).toBe('38 clients on line 12, 4 waiting for a lock; 1 client on line 9, waiting for a lock.');
  });
});

describe('series', () => {
  test('are cut at a deploy, and of a sum what came before it is left out', () => {
    const [times, values] = [[1, 2, 3, 4], [5, 9, 10, 12]];
    expect(cut(times, values, 0, null)).toEqual({ before: [null, null, null, null], now: values });
    expect(cut(times, values, 2, null)).toEqual({ before: [5, 9, null, null], now: [null, 9, 10, 12] });
    expect(cut(times, values, 2, 10)).toEqual({ before: [5, 9, null, null], now: [null, 0, 0, 2] });
    expect(cut(times, values, 9, null)).toEqual({ before: values, now: [null, null, null, null] });
  });

  const samples: Sample[] = Array.from({ length: 960 }, (_, index) => ({ at_us: (index + 1) * 250_000, values: [index % 2 === 0 ? 10 : null] }));

  test('few samples stay as they are, gaps too', () => {
    expect(columns(samples.slice(0, 3), 0, stride(3, 480))).toEqual([
      [0.25, 0.5, 0.75],
      [10, null, 10],
    ]);
  });

  test('many are merged by their mean, up to the last', () => {
    const [times, values] = columns(samples, 0, stride(samples.length, 480));
    expect(times.length).toBeLessThanOrEqual(480);
    expect(times.at(-1)).toBe(240);
    expect(new Set(values)).toEqual(new Set([10]));
  });
});

describe('locks', () => {
  const wait = (request: number, since_us: number, holders: [request: number, holds: boolean][], deadlocked = false): LockWait => ({
    request,
    label: `client ${request}`,
    on: 'row 1 of accounts',
    table: 'accounts',
    key: '1',
    since_us,
    file: 'naive.py',
    line: 6,
    holders: holders.map(([holder, holds]) => ({ request: holder, label: `client ${holder}`, holds })),
    deadlocked,
  });
  const shape = (waiter: ReturnType<typeof forest>[number]): unknown => [waiter.label, ...waiter.behind.map(shape)];

  test('waiters stand behind who holds what they wait for, the longest first', () => {
    const waits = [wait(3, 20, [[2, true]]), wait(4, 30, [[1, true]]), wait(2, 10, [[1, true]])];
    expect(forest(waits).map(shape)).toEqual([['client 1', ['client 2', ['client 3']], ['client 4']]]);
    expect(forest([])).toEqual([]);
  });

  test('whoever has the row comes before whoever only stands in the queue', () => {
    expect(forest([wait(3, 20, [[2, false], [1, true]])]).map(shape)).toEqual([['client 1', ['client 3']]]);
  });

  test('a ring is told as a deadlock, with others behind it', () => {
    const [head, ...others] = forest([wait(5, 12, [[7, true]], true), wait(7, 10, [[5, true]], true), wait(9, 15, [[7, true]])]);
    expect(others).toEqual([]);
    expect(head?.deadlocked).toBe(true);
    expect(shape(head!)).toEqual(['client 5', ['client 7', ['client 9']]]);
  });

  test('who was let go and has not gone on yet stands alone', () => {
    expect(forest([wait(2, 10, [])]).map(shape)).toEqual([['client 2']]);
  });
});

describe('lanes', () => {
  test('stay in their place when a report names others', () => {
    const client = (number: number) => ({ family: 'client' as const, label: `client ${number}` });
    const payments = { family: 'service' as const, label: 'payments' };
    const next: Timeline = { lanes: [client(2), client(10), payments], spans: [span(2, 0, 1, 'service', 'charge')], arrows: [{ at_us: 0, from_lane: 1, to_lane: 0 }], spans_left_out: 0 };
    const steady = steadied(next, [client(1), client(10), { family: 'client', label: 'worker' }]);
    expect(steady.lanes.map(({ label }) => label)).toEqual(['client 1', 'client 2', 'client 10', 'worker', 'payments']);
    expect(steady.spans[0]?.lane).toBe(4);
    expect(steady.arrows[0]).toMatchObject({ from_lane: 2, to_lane: 1 });
  });
});

describe('what the tables of a schema are called', () => {
  test('columns are named in order, constraints and comments are none', () => {
    const found = tableColumns(`
      -- CREATE TABLE ghosts (id int);
      CREATE TABLE products (
        id SERIAL PRIMARY KEY,
        price NUMERIC(10, 2) NOT NULL CHECK (price >= 0 AND price < 1000), -- dollars, gross
        "Stock" INT DEFAULT 0,
        CONSTRAINT known UNIQUE (id, price),
        FOREIGN KEY (id) REFERENCES other (id)
      );
      CREATE TABLE IF NOT EXISTS Orders (id INT, product INT REFERENCES products(id));
      ALTER TABLE orders ADD COLUMN version INT NOT NULL DEFAULT 0, ADD note TEXT;
      ALTER TABLE orders ADD CONSTRAINT once UNIQUE (id);
    `);
    expect([...found]).toEqual([
      ['products', ['id', 'price', 'Stock']],
      ['orders', ['id', 'product', 'version', 'note']],
    ]);
  });
});

describe('two runs on the same traffic', () => {
  const answer = (client: number, turn: number, at_us: number, status: number, asked = 'buy(1)'): Answered => ({ client, turn, at_us, from_us: at_us - 10, request: 0, arguments: asked, status });

  test('the first request that both were asked and answered otherwise', () => {
    const one = [answer(1, 1, 100, 201), answer(2, 1, 200, 201), answer(1, 2, 300, 201)];
    const other = [answer(1, 1, 110, 201), answer(1, 2, 190, 409), answer(2, 1, 260, 409)];
    expect(firstDivergence(one, other)).toEqual({ one: one[2], other: other[1] });
  });

  test('what was asked at another time is another request', () => {
    expect(firstDivergence([answer(1, 2, 500_000, 201)], [answer(1, 2, 1_400_000, 409)])).toBeNull();
  });

  test('what was asked is told in words', () => {
    expect(askedInWords('{"product_id":1,"customer":"Ada"}')).toBe('product_id 1, customer Ada');
    expect(askedInWords('phone')).toBe('phone');
  });

  test('what only one of them was asked is no difference', () => {
    expect(firstDivergence([answer(1, 1, 100, 201)], [answer(1, 1, 100, 409, 'buy(2)'), answer(1, 2, 90, 409)])).toBeNull();
  });
});

test.each([
  [0.059, '0.06 µs'],
  [12.904, '12.9 µs'],
  [207, '207 µs'],
  [1_732, '1.73 ms'],
  [2_000_000, '2 s'],
])('a cost of %f µs is written as %s', (us, text) => {
  expect(cost(us)).toBe(text);
});
