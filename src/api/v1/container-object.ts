import type { ContainerView } from '../../reconcile/view.ts';
import { LOCATION_ANNOTATION, SOURCE_ANNOTATION, type ContainerObject } from './types.ts';

/** A container in Kubernetes' form, with where it was said in two annotations. */
export function containerObject({ container, generation, origin, status, phase }: ContainerView): ContainerObject {
  const said = origin === undefined ? {} : { [SOURCE_ANNOTATION]: origin.source, [LOCATION_ANNOTATION]: origin.location };
  return {
    apiVersion: container.apiVersion,
    kind: container.kind,
    metadata: { ...container.metadata, annotations: { ...container.metadata.annotations, ...said }, generation },
    spec: container.spec,
    status: { ...status, phase },
  };
}
