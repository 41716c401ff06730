/** A limit on work, not on time: the same calendar costs the same everywhere, on a slow Pi too. */

/** Thrown by {@link Budget.spend}; whoever made the budget catches it and sets the event or the feed aside. */
export class BudgetSpent extends Error {
  override readonly name = 'BudgetSpent';
}

/**
 * Steps that reading recurrence rules may take, shared by as many rules as its owner likes. One step is about one month
 * of days looked at, or one instance yielded: some hundred nanoseconds.
 */
export class Budget {
  #left: number;

  /** @param steps how many there are; Infinity for none but the reader's own ends. */
  constructor(steps: number) {
    this.#left = steps;
  }

  /** Steps not yet spent, never below 0. */
  get left(): number {
    return Math.max(0, this.#left);
  }

  /** @throws BudgetSpent when fewer than `steps` were left; from then on always. */
  spend(steps = 1): void {
    this.#left -= steps;
    if (this.#left < 0) throw new BudgetSpent('The rule asks for more work than reading it may take.');
  }
}
