import { fireEvent, render, screen } from '@testing-library/svelte';
import { describe, expect, test, vi } from 'vitest';
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
