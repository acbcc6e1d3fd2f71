/** What is remembered in this browser. Storage may be absent or full: then nothing is. */
const PREFIX = "easymodel-nb:";

export function load<T>(key: string): T | null {
  try {
    const text = localStorage.getItem(PREFIX + key);
    return text === null ? null : (JSON.parse(text) as T);
  } catch {
    return null;
  }
}

export function save(key: string, value: unknown): void {
  try {
    if (value === null) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // Private mode, a sandboxed frame, or a full quota.
  }
}
