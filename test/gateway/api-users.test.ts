/** Who may use Doorward is changed by somebody: the journal says by whom, and never holds a secret. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SUBMIT_LATER_MS, SUBMIT_PAUSE_MS, SUBMIT_TRIES } from '../../gateway/api/submit.ts';
import { aRig, PASSWORD, type Rig } from '../support/api.ts';

let rig: Rig;
let headers: { cookie: string; 'x-csrf-token': string };
beforeEach(async () => {
  rig = await aRig();
  rig.addUser('mia', 'manager');
  const { cookie, csrf } = await rig.signIn('mia');
  headers = { cookie, 'x-csrf-token': csrf };
});
afterEach(() => rig.close());

const as = (method: 'POST' | 'PUT' | 'DELETE', path: string, payload?: object) =>
  rig.app.inject({ method, url: `/api/v1/${path}`, headers, ...(payload && { payload }) });
const entries = () => [...rig.store.journal.iterate()];
const notes = () => entries().map(({ note }) => note);

describe('administration of accounts', () => {
  it('journals users made, changed and removed, and who did it', async () => {
    for (const id of ['ada', 'ben']) rig.addMember(id);
    const password = PASSWORD;
    await as('POST', 'users', { name: 'dr', role: 'practitioner', member: 'ada', password });
    await as('PUT', 'users/dr', { role: 'practitioner', member: 'ada', password });
    await as('PUT', 'users/dr', { role: 'practitioner', member: 'ben', password });
    await as('PUT', 'users/dr', { role: 'manager', password });
    await as('PUT', 'users/rita', { role: 'reception', password });
    await as('DELETE', 'users/dr');
    expect(notes()).toEqual([
      'user dr added as practitioner for member ada',
      'user dr has a new password, practitioner for member ada as before',
      'user dr is now practitioner for member ben, was practitioner for member ada, and has a new password',
      'user dr is now manager, was practitioner for member ben, and has a new password',
      'user rita added as reception',
      'user dr removed, was manager',
    ]);
    expect(entries().map(({ member }) => member)).toEqual(['ada', 'ada', 'ben', undefined, undefined, undefined]);
    expect(entries().every(({ kind, user }) => kind === 'change' && user === 'mia')).toBe(true);
  });

  it('journals tokens made and removed', async () => {
    const { id } = (await as('POST', 'tokens', { role: 'viewer', note: 'wall display' })).json<{ id: string }>();
    await as('DELETE', `tokens/${id}`);
    expect(notes()).toEqual([`token ${id} added as viewer`, `token ${id} removed, was viewer`]);
  });

  it('tells the core and the journal no password, no token and no hash of either', async () => {
    await as('POST', 'users', { name: 'rita', role: 'reception', password: PASSWORD });
    await as('PUT', 'users/rita', { role: 'viewer', password: `${PASSWORD} too` });
    const { token } = (await as('POST', 'tokens', { role: 'viewer' })).json<{ token: string }>();
    const told = JSON.stringify([rig.facts, entries().map(({ hash: _, previousHash: __, ...entry }) => entry)]);
    expect(told).toContain('rita');
    expect(told).not.toMatch(/a long enough|argon2|dw_|[0-9a-f]{64}/);
    expect(told).not.toContain(token);
  });

  it('journals nothing that was refused, nor a sign-in', async () => {
    const refused = [
      await as('POST', 'users', { name: 'mia', role: 'viewer', password: PASSWORD }),
      await as('PUT', 'users/mia', { role: 'viewer', password: PASSWORD }),
      await as('DELETE', 'users/mia'),
      await as('DELETE', 'users/nobody'),
      await as('DELETE', 'tokens/none'),
    ];
    await rig.signIn('mia');
    expect(refused.map(({ statusCode }) => statusCode)).toEqual([409, 409, 409, 404, 404]);
    expect(entries()).toEqual([]);
  });

  it('writes the entry later where the loop had no room for it', async () => {
    rig.addUser('rita', 'reception');
    const submit = rig.loop.submit.bind(rig.loop);
    const spy = vi.spyOn(rig.loop, 'submit').mockRejectedValue(new Error('dropped'));
    const reply = as('DELETE', 'users/rita');
    for (let attempt = 1; attempt < SUBMIT_TRIES; attempt++) {
      await vi.waitFor(() => expect([spy.mock.calls.length, rig.clock.waiting]).toEqual([attempt, 1]));
      rig.clock.advance(SUBMIT_PAUSE_MS);
    }
    expect((await reply).json()).toMatchObject({ code: 'unavailable' });
    spy.mockImplementation(submit);
    rig.clock.advance(SUBMIT_LATER_MS);
    await vi.waitFor(() => expect(notes()).toEqual(['user rita removed, was reception']));
  });
});
