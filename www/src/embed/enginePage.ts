// The page that owns the engine of all embeds of an article. It has nothing to show; the script in the article opens it
// out of sight, and hands it one port for each embed.

import { ownThread } from '../core/thread';
import { target, toFrame, type FromFrame } from './messages';
import { readAddress } from './address';
import { SharedEngine } from './sharedEngine';

const engine = new SharedEngine(ownThread);
const { host } = readAddress(location.hash);

addEventListener('message', (event) => {
  const [port] = event.ports;
  if (event.source === parent && event.origin === host && toFrame(event.data)?.twoam === 'port' && port) engine.connect(port);
});

if (host) parent.postMessage({ twoam: 'hello' } satisfies FromFrame, target(host));
