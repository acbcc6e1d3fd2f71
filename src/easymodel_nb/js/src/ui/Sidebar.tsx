/** The sidebar: brand, tabs, projects, and the foot with device, save state and theme. */
import { useActions, useStudio } from "../state/session";
import type { Tab } from "../state/store";
import { LastNotice } from "./Banners";
import { Icon, type IconName, Logo } from "./icons";
import { Mirror } from "./Mirror";
import { Projects } from "./Projects";
import { Button } from "./parts";
import { useProjectDrop } from "./projects/drop";
import { ThemeToggle } from "./ThemeToggle";
import { useView } from "./view";

export function Sidebar({ rail }: { rail: boolean }) {
  const { setRail } = useActions();
  const drop = useProjectDrop();
  const analytics = useStudio((s) => s.tab === "analytics");
  return (
    <nav className="em-sidebar" data-testid="em-sidebar" aria-label="EasyModel" {...drop}>
      <div className="em-brand">
        <Logo />
        {!rail && <b className="em-grow">EasyModel</b>}
        {!rail && <FullScreen />}
        {!rail && (
          <Button
            icon="rail"
            kind="quiet"
            label="Collapse the sidebar"
            onClick={() => setRail(true)}
          />
        )}
      </div>
      <div
        className="em-tabs"
        role="tablist"
        aria-label="View"
        aria-orientation={rail ? "vertical" : "horizontal"}
      >
        <TabButton tab="canvas" label="Canvas" icon="canvas" rail={rail} />
        <TabButton tab="analytics" label="Analytics" icon="analytics" rail={rail} />
      </div>
      <Projects rail={rail} />
      {!rail && analytics && <LastNotice />}
      <div className="em-foot">
        {!rail && <Device />}
        <SaveState rail={rail} />
        <Mirror rail={rail} />
        <ThemeToggle rail={rail} />
        {rail && <FullScreen />}
        {rail && (
          <Button
            icon="rail"
            kind="quiet"
            label="Expand the sidebar"
            onClick={() => setRail(false)}
          />
        )}
      </div>
    </nav>
  );
}

function TabButton(p: { tab: Tab; label: string; icon: IconName; rail: boolean }) {
  const selected = useStudio((s) => s.tab === p.tab);
  const { showTab } = useActions();
  return (
    <button
      type="button"
      role="tab"
      className="em-tab"
      aria-selected={selected}
      aria-label={p.label}
      title={p.rail ? p.label : undefined}
      data-testid={`tab-${p.tab}`}
      onClick={() => showTab(p.tab)}
    >
      <Icon name={p.icon} size={p.rail ? 16 : 14} />
      {!p.rail && <span>{p.label}</span>}
    </button>
  );
}

function FullScreen() {
  const { frame } = useView();
  const toggle = () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else
      frame()
        .requestFullscreen?.()
        .catch(() => {}); // a notebook's frame may forbid it
  };
  return <Button icon="full" kind="quiet" label="Full screen" onClick={toggle} />;
}

function Device() {
  const device = useStudio((s) => s.traits.catalog.device);
  return (
    <div className="em-line" title={device}>
      <Icon name="chip" size={14} />
      <span className="em-ellipsis">{device}</span>
    </div>
  );
}

function SaveState({ rail }: { rail: boolean }) {
  const commit = useStudio((s) => s.commit);
  const lost = useStudio((s) => s.lostSince !== null);
  const memory = useStudio((s) => s.traits.projects.keeping?.problem ?? null);
  const waiting = commit.unsaved > 0;
  const trouble = waiting && (lost || commit.failure !== null || commit.conflict !== null);
  const edits = commit.unsaved === 1 ? "1 edit" : `${commit.unsaved} edits`;
  const text = trouble
    ? `${edits} not saved yet`
    : waiting
      ? "Saving"
      : memory
        ? "In memory only"
        : "Saved";
  return (
    <div
      className={trouble || memory ? "em-line em-save em-warn-text" : "em-line em-save"}
      title={commit.failure ?? memory ?? text}
      data-saved={!waiting}
    >
      <Icon
        name={trouble || (memory && !waiting) ? "warn" : waiting ? "clock" : "check"}
        size={14}
      />
      <span className={rail ? "em-hidden" : "em-ellipsis"}>{text}</span>
    </div>
  );
}
