/**
 * What of the studio can be seen in this page: Python draws no charts that nobody looks at, and
 * leaves a page that shows nothing of it alone.
 */
export type Shows = "canvas" | "analytics" | "nothing";

export class Sight {
  private readonly hidden = new Set<Element>();
  private readonly views = new Set<Element>();

  constructor(
    private readonly tab: () => "canvas" | "analytics",
    private readonly changed: () => void,
  ) {}

  shows(): Shows {
    const away = this.views.size > 0 && this.hidden.size === this.views.size;
    return document.visibilityState !== "visible" || away ? "nothing" : this.tab();
  }

  /** A view scrolled away, or behind another tab of the notebook's page, shows nothing. */
  watch(el: Element): () => void {
    const observer = new IntersectionObserver((entries) => {
      for (const entry of entries)
        if (entry.isIntersecting) this.hidden.delete(el);
        else this.hidden.add(el);
      this.changed();
    });
    this.views.add(el);
    observer.observe(el);
    return () => {
      observer.disconnect();
      this.views.delete(el);
      this.hidden.delete(el);
    };
  }
}
