/**
 * What follows from a part of the state, worked out once for as long as that part is the same
 * object. Every node asks at each change of the state: what each works out for itself from all
 * nodes grows with their square.
 */
export function once<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, { value: V }>();
  return (key) => {
    let found = known.get(key);
    if (!found) {
      found = { value: make(key) };
      known.set(key, found);
    }
    return found.value;
  };
}

/** The same for what follows from two parts, of which the second seldom changes. */
export function onceOfTwo<K extends object, L extends object, V>(
  make: (key: K, other: L) => V,
): (key: K, other: L) => V {
  const by = once((key: K) => once((other: L) => make(key, other)));
  return (key, other) => by(key)(other);
}

/** Groups that keep the order of the list. */
export function groups<T, K>(list: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const found = new Map<K, T[]>();
  for (const item of list) {
    const group = found.get(key(item));
    if (group) group.push(item);
    else found.set(key(item), [item]);
  }
  return found;
}
