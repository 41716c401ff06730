import { mount } from 'svelte';
import App from './App.svelte';
import './style/tokens.css';
import './style/base.css';
import { applyTheme, storedTheme } from './live/theme.ts';

applyTheme(storedTheme());
const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
mount(App, { target });
