/**
 * The anywidget module: one session a model, shared by all its views.
 *
 * Everything lives in this closure. A module may be shared by models (marimo) or
 * loaded once for each (JupyterLab), so nothing is kept at its level.
 */
import "./preact";
import { openSession, type Session } from "./state/session";
import type { InitializeContext, RenderContext } from "./types";
import { mount } from "./ui/mount";

export default () => {
  let session: Session | null = null;
  const ensure = (context: InitializeContext): Session => {
    session ??= openSession(context.model);
    return session;
  };
  return {
    initialize(context: InitializeContext) {
      ensure(context);
      return () => {
        session?.dispose();
        session = null;
      };
    },
    render(context: RenderContext) {
      return mount(context.el, ensure(context));
    },
  };
};
