// An embed's page: a still picture until it is tapped, and what runs from then on. In a plain frame the tap comes here;
// where a script has put the frame there, it came before.

import { onResize } from '../resize';
import { readAddress } from './address';
import { target, toFrame, type FromFrame } from './messages';

const address = readAddress(location.hash, document.documentElement.dataset.scenario);
const place = document.getElementById('embed')!;
const still = document.getElementById('still') as HTMLAnchorElement | null;

/** The engine that the article's embeds share; comes with a message. */
const port = new Promise<MessagePort>((resolve) => {
  if (address.host === '') return;
  addEventListener('message', (event) => {
    if (event.source !== parent || event.origin !== address.host) return;
    const message = toFrame(event.data);
    const [port] = event.ports;
    if (message?.twoam === 'theme') document.documentElement.dataset.theme = message.theme;
    else if (message?.twoam === 'port' && port) resolve(port);
  });
});

function tell(message: FromFrame) {
  if (address.host !== '') parent.postMessage(message, target(address.host));
}

async function begin() {
  const { show } = await import('./show');
  await show(place, address, address.host === '' ? null : port);
}

if (address.host !== '') {
  // The script gives the frame its height, so that there is nothing in it to scroll.
  document.documentElement.dataset.sized = '';
  still?.remove();
  tell({ twoam: 'hello' });
  onResize(document.body, () => {
    const { height } = document.body.getBoundingClientRect();
    if (place.childElementCount > 0) tell({ twoam: 'size', height: Math.ceil(height) });
  });
  void begin();
} else if (still) {
  if (address.scenario !== '' && still.querySelector('img') === null) showPicture(still, address.scenario);
  still.addEventListener('click', (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    void begin();
  });
}

/** For an address that names the scenario only behind the #. */
function showPicture(link: HTMLAnchorElement, scenario: string) {
  if (!/^[a-z0-9-]+$/.test(scenario)) return;
  const picture = document.createElement('img');
  picture.src = `./pictures/${scenario}.svg`;
  picture.alt = `2 AM: the scenario ${scenario}. Run it here.`;
  // A name that is none is told when it is tapped, by the page that knows all names.
  picture.onerror = () => link.replaceChildren(picture.alt);
  link.href = `./${scenario}.html`;
  link.replaceChildren(picture);
}
