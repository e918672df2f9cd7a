import { mount } from 'svelte';
import './theme.css';
import './forced-colours.css';
import './touch.css';
import App from './App.svelte';

const target = document.getElementById('app')!;
// The speaker's window shows no run of its own and needs none of the page.
if (location.hash === '#speaker') void import('./stage/Speaker.svelte').then(({ default: Speaker }) => mount(Speaker, { target }));
// A task of its own: reading the script is one already, long enough on a slow phone.
else setTimeout(() => mount(App, { target }));
