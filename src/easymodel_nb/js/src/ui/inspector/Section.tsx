/** A titled part of the inspector. */
import type { ReactNode } from "react";

export function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="em-section" aria-label={title}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}
