// What is loaded when an embed is tapped.

import { mount, unmount } from 'svelte';
import '../theme.css';
import { catalogue, recordings, scenario } from '../core/catalogue';
import { ownThread, type Thread } from '../core/thread';
import type { Address } from './address';
import { sharedRun, wanted } from './address';
import Embed from './Embed.svelte';
import { EmbedState } from './embed.svelte';
import Unshown from './Unshown.svelte';
import { lentThread } from './sharedEngine';

/** An article whose engine has not come by then lets each embed have its own. */
const PORT_MS = 8_000;

export async function show(target: HTMLElement, address: Address, port: Promise<MessagePort> | null) {
  let lent: MessagePort | null = null;
  let state: EmbedState;
  try {
    state = await prepared(address, (taken) => (lent ? lentThread(lent, taken) : ownThread()));
  } catch (error) {
    target.replaceChildren();
    mount(Unshown, { target, props: { reason: error instanceof Error ? error.message : String(error), scenario: address.scenario } });
    return;
  }
  target.replaceChildren();
  const embed = mount(Embed, { target, props: { embed: state } });
  addEventListener('pagehide', () => {
    state.stop();
    void unmount(embed);
  });
  state.start();
  lent = port && (await Promise.race([port, new Promise<null>((resolve) => setTimeout(() => resolve(null), PORT_MS))]));
  state.startEngine();
}

async function prepared(address: Address, newThread: (taken: () => void) => Thread): Promise<EmbedState> {
  let notice = '';
  const shared = await sharedRun(address).catch((error: Error) => {
    notice = `${error.message} Here is the scenario as it is.`;
    return null;
  });
  const id = shared?.request.scenario ?? address.scenario;
  if (id === '') throw new Error('This embed names no scenario.');
  const [document, recorded] = await Promise.all([scenario(id).catch((error: Error) => explained(id, error)), recordings(id).catch(() => ({}))]);
  const run = wanted(address, shared, document);
  run.notice = [notice, run.notice].filter(Boolean).join(' ');
  return new EmbedState(document, recorded, run, newThread);
}

/** Why a scenario's document did not come. */
async function explained(id: string, error: Error): Promise<never> {
  const summaries = await catalogue();
  if (summaries.some((summary) => summary.id === id)) throw error;
  throw new Error(`2 AM has no scenario “${id}”. It has: ${summaries.map((summary) => summary.id).join(', ')}.`);
}
