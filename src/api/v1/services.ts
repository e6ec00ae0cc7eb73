import type { Duplex } from 'node:stream';
import type { BuildEngine } from '../../engine/builds.ts';
import type { ExecRequest, ExecResult, ExitRecord, LogLine, LogOptions } from '../../engine/engine.ts';
import type { FileEngine } from '../../engine/files.ts';
import type { ContainerInsight } from '../../engine/insight.ts';
import type { ImageEngine } from '../../engine/images.ts';
import type { NetworkEngine } from '../../engine/networks.ts';
import type { SystemUsage } from '../../engine/system-usage.ts';
import type { VolumeEngine } from '../../engine/volumes.ts';
import type { Declared, DesiredStore } from '../../reconcile/desired.ts';
import type { EventLog } from '../../reconcile/events.ts';
import type { ReconcilerFace } from '../../reconcile/reconciler-face.ts';
import type { Supplies } from '../../reconcile/supplies.ts';
import type { SpecProblem } from '../../spec/problem.ts';
import type { ApiTokens } from '../tokens.ts';
import type { DownProgress, Info } from './types.ts';

/** What the API stands on. The daemon wires it. */
export interface ApiServices {
  readonly reconciler: Pick<ReconcilerFace, 'views' | 'view' | 'explain' | 'drift' | 'plan' | 'subscribe' | 'make' | 'run' | 'stop' | 'reset' | 'onExit' | 'health'>;
  readonly desired: Pick<DesiredStore, 'get' | 'getOf' | 'listOf' | 'apply' | 'delete'>;
  readonly events: Pick<EventLog, 'list' | 'subscribe'>;
  /** Documents that are not accepted at present, of all sources. */
  readonly problems: () => readonly SpecProblem[];
  /** After any change of the problems. Returns the function that unsubscribes. */
  readonly onProblems: (listener: () => void) => () => void;
  /** Reads the documents of one file. Never throws: what is wrong comes back as problems. */
  readonly parse: (file: string, text: string) => { readonly declared: readonly Declared[]; readonly problems: readonly SpecProblem[] };
  /** `id` is a container's id as its status has it. */
  readonly logs: (id: string, options: LogOptions) => AsyncIterable<readonly LogLine[]>;
  /** The engine's, likewise by the id. */
  readonly streams: {
    readonly attach: (id: string) => Promise<Duplex>;
    readonly exec: (id: string, request: ExecRequest, onEnd?: (exit: ExitRecord | undefined) => void) => Promise<ExecResult>;
    readonly attachExec: (id: string, exec: string) => Promise<Duplex>;
    /** False when its first process has ended. */
    readonly signal: (id: string, signal: string) => Promise<boolean>;
  };
  readonly insight: ContainerInsight;
  readonly images: ImageEngine;
  readonly builds: BuildEngine;
  readonly networks: NetworkEngine;
  readonly volumes: VolumeEngine;
  readonly supplies: Pick<Supplies, 'standing' | 'settle'>;
  readonly files: FileEngine;
  /** What the node's disk is taken by. */
  readonly disk: () => Promise<SystemUsage>;
  readonly tokens: Pick<ApiTokens, 'create' | 'list' | 'revoke' | 'grantOf'>;
  readonly info: () => Info;
  /** Takes every container down, telling each; once it has ended, the daemon stops. */
  readonly down: () => AsyncIterable<DownProgress>;
}
