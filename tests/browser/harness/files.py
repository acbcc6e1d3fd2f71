"""Files that a user brings: dropped on the page, or chosen with the button."""

import base64

from playwright.sync_api import Locator, Page

# A drop has no other way into a page than an event that carries the file.
_DROP = """([name, content, x, y]) => {
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name));
  for (const type of ['dragenter', 'dragover', 'drop']) {
    document.elementFromPoint(x, y).dispatchEvent(new DragEvent(type, {
      bubbles: true, cancelable: true, dataTransfer: transfer, clientX: x, clientY: y,
    }));
  }
}"""
# The browser reads a file part by part; from the n-th read on it waits, or fails once.
_STALL = """(reads) => {
  const read = Blob.prototype.arrayBuffer;
  let count = 0;
  Blob.prototype.arrayBuffer = function () {
    count += 1;
    return count > reads ? new Promise(() => {}) : read.call(this);
  };
}"""
_FAIL_ONCE = """() => {
  const read = Blob.prototype.arrayBuffer;
  Blob.prototype.arrayBuffer = function () {
    Blob.prototype.arrayBuffer = read;
    return Promise.reject(new Error('The file was moved'));
  };
}"""


def drop(page: Page, target: Locator, name: str, content: bytes, at: tuple[int, int]) -> None:
    """Drop a file on a part of the page, `at` pixels from its upper left corner."""
    box = target.bounding_box()
    assert box is not None, "nothing to drop it on"
    text = base64.b64encode(content).decode()
    page.evaluate(_DROP, [name, text, box["x"] + at[0], box["y"] + at[1]])


def stall(page: Page, reads: int) -> None:
    """Let the browser never answer after so many reads of a file, until the page is reloaded."""
    page.evaluate(_STALL, reads)


def fail_once(page: Page) -> None:
    """Let the browser's next read of a file fail."""
    page.evaluate(_FAIL_ONCE)
