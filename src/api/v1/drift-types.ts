/** The shapes of the drift route, shared by the server and the command. */
import type { ContainerDrift, DriftReportEntry } from '../../reconcile/drift-report.ts';

export type { ContainerDrift, DriftReportEntry };

/** The reply to `GET /v1/drift`: every container, by name, whether anything of it differs or not. */
export interface DriftList {
  readonly kind: 'DriftList';
  readonly items: readonly ContainerDrift[];
}
