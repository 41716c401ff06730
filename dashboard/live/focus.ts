import { tick } from 'svelte';

/** Fields that take words or a choice; a button that closes is no field. */
const FIELDS = 'input:not(:disabled), select:not(:disabled), textarea:not(:disabled)';

/** A dialog that asks for something begins there: the first key pressed must not fall on "Close". */
export function focusFirstField(within: Element): void {
  within.querySelector<HTMLElement>(FIELDS)?.focus();
}

/** What was pressed is gone from the page after a step: the keyboard goes on from `next`, not from the page's start. */
export async function focusAfter(next: () => Element | null | undefined): Promise<void> {
  await tick();
  const { activeElement } = document;
  const to = next();
  if ((activeElement === null || activeElement === document.body) && to instanceof HTMLElement) to.focus();
}
