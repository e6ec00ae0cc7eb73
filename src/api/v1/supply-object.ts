import type { NetworkState } from '../../engine/networks.ts';
import type { VolumeState } from '../../engine/volumes.ts';
import type { DesiredNetwork, DesiredVolume, Origin } from '../../reconcile/desired.ts';
import type { SupplyStanding } from '../../reconcile/supplies.ts';
import type { Condition } from '../../spec/condition.ts';
import type { NetworkObject, SupplyPhase, VolumeObject } from './supply-types.ts';
import { LOCATION_ANNOTATION, SOURCE_ANNOTATION } from './types.ts';

/** A network in Kubernetes' form, from what is wanted, what is there, or both. */
export function networkObject(desired: DesiredNetwork | undefined, standing: SupplyStanding | undefined, state: NetworkState | undefined): NetworkObject | undefined {
  const network = desired?.network ?? state?.network;
  if (network === undefined) return undefined;
  const containers = state?.containers ?? [];
  return {
    ...network,
    metadata: metadataOf(network.metadata, desired),
    status: {
      phase: phaseOf(desired !== undefined, standing),
      ...judged(standing, state?.faults ?? []),
      ...(state && { subnets: [...state.subnets], gateways: [...state.gateways], ...(state.link !== undefined && { link: state.link }) }),
      containerCount: containers.length,
      containers,
    },
  };
}

/** A volume likewise. */
export function volumeObject(desired: DesiredVolume | undefined, standing: SupplyStanding | undefined, state: VolumeState | undefined, usedBytes?: number): VolumeObject | undefined {
  const volume = desired?.volume ?? state?.volume;
  if (volume === undefined) return undefined;
  const containers = state?.containers ?? [];
  const phase = desired === undefined && state?.owner !== undefined ? 'Owned' : desired === undefined && state?.released === true ? 'Released' : phaseOf(desired !== undefined, standing);
  return {
    ...volume,
    metadata: metadataOf(volume.metadata, desired),
    status: {
      phase,
      ...judged(standing, state?.faults ?? []),
      ...(state?.path !== undefined && { path: state.path }),
      ...(state && { createdAt: new Date(state.createdAt).toISOString() }),
      ...(state?.owner && { owner: state.owner }),
      ...(usedBytes !== undefined && { usedBytes }),
      containerCount: containers.length,
      containers,
    },
  };
}

function metadataOf<Metadata extends { readonly annotations: Readonly<Record<string, string>> }>(metadata: Metadata, desired: { readonly origin: Origin; readonly generation: number } | undefined) {
  const said = desired === undefined ? {} : { [SOURCE_ANNOTATION]: desired.origin.source, [LOCATION_ANNOTATION]: desired.origin.location };
  return { ...metadata, annotations: { ...metadata.annotations, ...said }, generation: desired?.generation ?? 0 };
}

function phaseOf(isWanted: boolean, standing: SupplyStanding | undefined): SupplyPhase {
  if (!isWanted || standing?.state === 'Going') return 'Removing';
  if (standing === undefined || standing.state === 'Coming') return 'Pending';
  return standing.state;
}

/** The conditions, by how it stands with the reconciler and what the kernel shows. */
function judged(standing: SupplyStanding | undefined, faults: readonly string[]): { conditions: Condition[]; observedGeneration: number } {
  const observedGeneration = standing?.generation ?? 0;
  const lastTransitionTime = new Date(standing?.since ?? Date.now()).toISOString();
  const condition = (type: Condition['type'], status: Condition['status'], reason: string, message: string): Condition => ({ type, status, reason, message, lastTransitionTime, observedGeneration });
  if (standing === undefined) return { conditions: [condition('Ready', 'Unknown', 'NotYetObserved', 'it has not been looked at yet')], observedGeneration };
  const { state, reason, message } = standing;
  const ready = state === 'Ready' && faults.length === 0;
  return {
    conditions: [
      condition('Ready', ready ? 'True' : 'False', state === 'Ready' && !ready ? 'Drifted' : reason, state === 'Ready' && !ready ? faults.join('; ') : message),
      condition('Progressing', state === 'Coming' || (state === 'Ready' && !ready) ? 'True' : 'False', reason, message),
      condition('Stalled', state === 'Failed' ? 'True' : 'False', state === 'Failed' ? reason : 'NotStalled', state === 'Failed' ? message : ''),
    ],
    observedGeneration,
  };
}
