/** Topic filters of MQTT 3.1.1, section 4.7. Pure. */

/** Does `filter` match `topic`? `a/#` matches `a` too. */
export function matches(filter: string, topic: string): boolean {
  return covers(filter, topic);
}

/** Is every topic that `inner` can match also matched by `outer`? `inner` may be a plain topic. */
export function covers(outer: string, inner: string): boolean {
  const out = outer.split('/');
  const inn = inner.split('/');
  for (let at = 0; at < out.length; at += 1) {
    const wanted = out[at];
    if (wanted === '#') return true;
    const given = inn[at];
    if (given === undefined || given === '#') return false;
    if (wanted !== '+' && wanted !== given) return false;
  }
  return inn.length === out.length;
}
