/** A titled part of the inspector; `part` is what it is scrolled to by. */
import type { ReactNode } from "react";

interface SectionProps {
  title: string;
  part?: string;
  children: ReactNode;
}

export function Section({ title, part, children }: SectionProps) {
  return (
    <section className="em-section" aria-label={title} data-part={part}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}
