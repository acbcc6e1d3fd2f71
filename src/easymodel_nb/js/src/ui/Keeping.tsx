/** What one does is in the kernel's memory alone: why, and what can be done about it. */
import { useActions, useStudio } from "../state/session";
import { Icon } from "./icons";
import { Button } from "./parts";

export function Keeping() {
  const problem = useStudio((s) => s.traits.projects.keeping?.problem);
  const projectId = useStudio((s) => s.projectId);
  const { projectExport } = useActions();
  if (!problem) return null;
  return (
    <div className="em-banner em-banner-warn" role="status" data-testid="keeping">
      <Icon name="warn" size={16} />
      <div className="em-grow">
        <b>Your projects are not on the disk</b>
        <p>{problem}</p>
      </div>
      <Button testid="keeping-export" onClick={() => void projectExport(projectId)}>
        Export this project
      </Button>
    </div>
  );
}
