/** One node of the outline: what it is, how it stands, what flows in, and all that can be done. */

import { lowerFirst } from "../../logic/format";
import { nameOf } from "../../logic/names";
import { detailOf, type InputLine, type Line } from "../../logic/outline";
import { titleOf } from "../../logic/ports";
import { latest, pace, statusWord } from "../../logic/runs";
import { useActions, useStudio } from "../../state/session";
import { Icon, type IconName } from "../icons";
import { ProblemLine } from "../Problem";
import { Button, InlineEdit } from "../parts";
import { useProblems } from "../useProblems";
import { useChoices } from "./choices";
import { Picker } from "./Picker";

/** What is unfolded in a row: its actions, its name, where it connects to, or one input. */
export interface Open {
  row: string;
  part: string;
}

export interface RowProps {
  line: Line;
  reached: string | null;
  open: string | null;
  onReach: (key: string) => void;
  onOpen: (part: string | null) => void;
  /** Done with what was unfolded: the focus goes back to this stop. */
  onBack: (key: string) => void;
  onShow: (id: string) => void;
  onRemove: (id: string) => void;
  onMade: (id: string) => void;
}

export function Row(p: RowProps) {
  const { line, reached, open, onReach, onOpen, onBack } = p;
  const { node } = line;
  const actions = useActions();
  const problems = useProblems(node.id);
  const word = useStudio((s) => {
    const run = latest(s.traits.runs.items, node.id);
    const status = statusWord(run, s.lostSince !== null);
    return run?.status === "running" ? `${status}, ${lowerFirst(pace(run))}` : status;
  });
  const choices = useChoices(p);
  const name = nameOf(node);
  const detail = detailOf(node);
  const wrong = problems.filter((q) => q.severity === "error").length;
  const said = [
    name,
    node.label && titleOf(node.type),
    detail,
    word,
    wrong > 0 && (wrong === 1 ? "1 problem" : `${wrong} problems`),
  ];
  const icon = (
    ["model", "dataset", "finetune", "note"].includes(node.type) ? node.type : "unknown"
  ) as IconName;
  return (
    <li data-row={node.id} data-testid="outline-row" data-node-type={node.type}>
      <div className="em-outline-row">
        {open === "rename" ? (
          <InlineEdit
            value={name}
            label="Node name"
            testid="outline-name"
            onDone={(label) => {
              onBack(node.id);
              if (label) actions.setLabel(node.id, label);
            }}
          />
        ) : (
          <button
            type="button"
            className="em-outline-node em-grow"
            data-testid="outline-node"
            data-stop={node.id}
            tabIndex={reached === node.id ? 0 : -1}
            aria-label={said.filter(Boolean).join(", ")}
            onFocus={() => onReach(node.id)}
            onClick={() => actions.inspect(node.id)}
          >
            <span className={`em-kind-${icon}`}>
              <Icon name={icon} size={14} />
            </span>
            <b className="em-ellipsis" dir="auto">
              {name}
            </b>
            <span className="em-ellipsis em-grow em-muted">{detail}</span>
            {word && <span className="em-outline-word">{word}</span>}
          </button>
        )}
        <Button
          icon="dots"
          kind="quiet"
          label={`Actions for ${name}`}
          testid="outline-actions"
          expanded={open === "actions"}
          onClick={() => onOpen(open === "actions" ? null : "actions")}
        />
      </div>
      {(open === "actions" || open === "connect") && (
        <Picker
          key={open}
          label={open === "actions" ? `Actions for ${name}` : `Connect ${name} to`}
          choices={open === "actions" ? choices.actions() : choices.targets()}
          onDone={() => onOpen(null)}
        />
      )}
      {line.inputs.map((input) => (
        <Input key={input.handle} row={p} input={input} choices={choices.sources} />
      ))}
      {problems.map((q) => (
        <ProblemLine key={q.code + q.message} problem={q} />
      ))}
    </li>
  );
}

interface InputProps {
  row: RowProps;
  input: InputLine;
  choices: ReturnType<typeof useChoices>["sources"];
}

/** What flows into an input; pressed, what else could. */
function Input({ row, input, choices }: InputProps) {
  const { node } = row.line;
  const { handle, from } = input;
  const key = `${node.id}/${handle}`;
  const text = from ? nameOf(from) : "not connected";
  const detail = from ? detailOf(from) : "";
  const open = row.open === handle;
  return (
    <>
      <button
        type="button"
        className="em-outline-input"
        data-testid="outline-input"
        data-handle={handle}
        data-stop={key}
        tabIndex={row.reached === key ? 0 : -1}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label={`${handle} of ${nameOf(node)}: ${[text, detail].filter(Boolean).join(", ")}`}
        onFocus={() => row.onReach(key)}
        onClick={() => row.onOpen(open ? null : handle)}
      >
        <span className="em-muted">{handle}</span>
        <span className={from ? "em-ellipsis" : "em-ellipsis em-muted"} dir="auto">
          {text} {detail && <span className="em-muted">{detail}</span>}
        </span>
        <Icon name="down" size={12} />
      </button>
      {open && (
        <Picker
          label={`What flows into ${handle} of ${nameOf(node)}`}
          choices={choices(input)}
          onDone={() => row.onOpen(null)}
        />
      )}
    </>
  );
}
