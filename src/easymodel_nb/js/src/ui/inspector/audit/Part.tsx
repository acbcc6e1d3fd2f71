/** A part of the audit under a heading of its own. */
import type { ReactNode } from "react";

export function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="em-part">
      <h4>{title}</h4>
      {children}
    </div>
  );
}
