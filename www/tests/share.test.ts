import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decode, encode, type Shared } from '../src/core/share';

const shared: Shared = {
  request: {
    scenario: 'oversell',
    variant: 'naive',
    environment: 'production',
    seed: 7,
    knobs: { clients: 120 },
    sources: { 'naive.py': 'async def buy(conn):\n    pass  # ünïcode </script>\n' },
    changes: [
      { at_us: 4_200_000, change: { kind: 'variant', variant: 'row-lock' } },
      { at_us: 5_000_000, change: { kind: 'fault', fault: 'slow-gateway', on: true } },
      { at_us: 6_000_000, change: { kind: 'knob', knob: 'clients', value: 12.5 } },
      { at_us: 7_000_000, change: { kind: 'source', file: 'schema.sql', text: 'SELECT 1' } },
    ],
  },
  at_us: 8_100_000,
};

function link(content: unknown): string {
  return `v1.${deflateRawSync(JSON.stringify(content)).toString('base64url')}`;
}

const small = { s: 'oversell', v: 'naive', e: 'production', n: 1 };

describe('share links', () => {
  test('a run comes back as it was sent', async () => {
    expect(await decode(`#${await encode(shared)}`)).toEqual(shared);
  });

  test('a link written by the first page stays readable', async () => {
    const written = 'v1.LY3BCgIhFAD_Zc4v2F3q8n4lIsS1khUNde0g_ntsNKe5DNMpKKm5XFwICA0lGt8cgkN557TutvoUESI6CxvascG7WAs6L9MQHmgfgkWvHVPve0HPy3Qg2JeJT3dUm48rSjPZm1iP3d-UnD6nkOzGGDehopdfPY0v';
    await expect(decode(written)).resolves.toMatchObject({ request: { scenario: 'oversell', seed: 1, knobs: { clients: 120 } }, at_us: 5_000_000 });
  });

  test('a link of the second page, which names its engine and its trace, stays readable', async () => {
    const written = 'v1.JY1bDoMgEEX3cr8xUXw0YStN06CAGi0YhVpD2HuHOD8398zkTMQBAbcrvRebvD7aejB8Mwu-dz8qmsq2OxUGPztLwEI0nGGBiInB3DFAPCOkfwcS8rbMQ3SSdiRBxDJbRSIjw5o_3CkwSq9PeRXH6k7C5Bd-DzqlFwPtH7eJYaTbUlY9H2pFd1OuZVVxXtdN07ZdZwzSHw';
    await expect(decode(written)).resolves.toMatchObject({
      request: { scenario: 'order-payment', variant: 'outbox', seed: 42, changes: [{ at_us: 2_500_000, change: { kind: 'fault', fault: 'gateway-slow', on: true } }] },
      at_us: 7_250_000,
      made: { engine: '0a1b2c3d', trace: '00112233445566ff' },
    });
  });

  test('a link says which engine it was made with, and how the trace began', async () => {
    const made = { engine: '0a1b2c3d', trace: '00112233445566ff' };
    const sent = { ...shared, made: { ...made, trace: `${made.trace}8899` } };
    expect(await decode(`#${await encode(sent)}`)).toEqual({ ...shared, made });
  });

  test.each([
    ['another version', 'v9.abc', 'another version'],
    ['cut off', 'v1.q1ayUsp', 'damaged'],
    ['not base64', 'v1.%%%', 'damaged'],
    ['very long', `v1.${'A'.repeat(300_000)}`, 'longer than any'],
    ['a list in place of a run', link([]), 'damaged'],
    ['HTML in a name', link({ ...small, s: '<img src=x onerror=alert(1)>' }), 'damaged'],
    ['a seed that is none', link({ ...small, n: -1 }), 'damaged'],
    ['a knob that is no number', link({ ...small, k: { clients: 'many' } }), 'damaged'],
    ['markup as a checksum', link({ ...small, g: 'a', h: '<b>' }), 'damaged'],
    ['an unknown change', link({ ...small, c: [{ at_us: 1, change: { kind: 'explode' } }] }), 'damaged'],
    ['a text that unfolds without end', link({ ...small, f: { 'naive.py': 'x'.repeat(30_000_000) } }), 'damaged'],
  ])('%s is told in a sentence', async (_, hash, words) => {
    await expect(decode(`#${hash}`)).rejects.toThrow(words);
  });
});
