declare const brand: unique symbol;

/** A primitive that only its own parser or maker hands out, so that an id can't be passed where a digest is meant. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
