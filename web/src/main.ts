// Starts the page. Everything else is reached from App.svelte.
import { mount } from 'svelte';
import App from './App.svelte';
import './look/tokens.css';
import './look/base.css';

const target = document.getElementById('page');
if (!target) throw new Error('index.html has no #page');
// What stood there while the page was on its way.
target.textContent = '';
mount(App, { target });
