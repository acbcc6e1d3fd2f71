/** Where a run's data went: the hosts its process reached, as recorded while it was under way. */
import type { RunDestinations } from "../../protocol";

export function Destinations({ known }: { known: RunDestinations }) {
  return (
    <section data-testid="destinations" aria-label="Where did my data go?">
      <h4>Where did my data go?</h4>
      <p>{known.sentence}</p>
      {known.found.map((host, at) => (
        // A host stands once for each kind of work, so that the place is its name.
        // biome-ignore lint/suspicious/noArrayIndexKey: the list only grows
        <p key={at}>
          <b>{host.where}</b>: {host.said}
        </p>
      ))}
      {known.unseen.map((said) => (
        <p key={said}>{said}</p>
      ))}
    </section>
  );
}
