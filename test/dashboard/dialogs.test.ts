import { fireEvent, render, screen } from '@testing-library/svelte';
import { describe, expect, test, vi } from 'vitest';
import Confirm from '../../dashboard/parts/Confirm.svelte';
import NoteDialog from '../../dashboard/parts/NoteDialog.svelte';

describe('a dialog with a field', () => {
  const show = () => {
    const onclose = vi.fn();
    const ondone = vi.fn(async () => undefined);
    render(NoteDialog, { title: 'A note', text: '', label: 'Note', action: 'Do it', disabled: false, ondone, onclose });
    return { onclose, ondone, field: screen.getByLabelText('Note'), dialog: screen.getByRole('dialog') };
  };
  test('begins in its field', () => {
    const { field } = show();
    expect(document.activeElement).toBe(field);
  });
  test('stays when words are dragged over and the mouse is let go outside of its panel', async () => {
    const { field, dialog, onclose } = show();
    await fireEvent.pointerDown(field);
    await fireEvent.click(dialog);
    expect(onclose).not.toHaveBeenCalled();
    await fireEvent.pointerDown(dialog);
    await fireEvent.click(dialog);
    expect(onclose).toHaveBeenCalledOnce();
  });
});

describe('a question before something is done', () => {
  const show = () => {
    const props = { question: 'Sure?', yes: 'Yes, revoke', disabled: false, onyes: vi.fn(), onno: vi.fn() };
    render(Confirm, props);
    return props;
  };
  test('is not answered by the second press of a double-click', async () => {
    const { onyes, onno } = show();
    for (const name of ['Yes, revoke', 'Keep'])
      await fireEvent.click(screen.getByRole('button', { name }), { detail: 2 });
    expect([onyes, onno].map((answer) => answer.mock.calls.length)).toEqual([0, 0]);
    await fireEvent.click(screen.getByRole('button', { name: 'Yes, revoke' }), { detail: 1 });
    expect(onyes).toHaveBeenCalledOnce();
  });
  test('begins at the answer that changes nothing', async () => {
    show();
    await vi.waitFor(() => expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Keep' })));
  });
});
