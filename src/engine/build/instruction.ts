/** Every instruction of the Dockerfile reference. */
export const KEYWORDS = ['ADD', 'ARG', 'CMD', 'COPY', 'ENTRYPOINT', 'ENV', 'EXPOSE', 'FROM', 'HEALTHCHECK', 'LABEL', 'MAINTAINER', 'ONBUILD', 'RUN', 'SHELL', 'STOPSIGNAL', 'USER', 'VOLUME', 'WORKDIR'] as const;

export type Keyword = (typeof KEYWORDS)[number];

/** One instruction, its lines joined; nothing in it is expanded yet. */
export interface Instruction {
  readonly keyword: Keyword;
  /** `--name=value` before the arguments, in their order. */
  readonly flags: readonly Flag[];
  /** What stands behind the keyword and the flags: one line, without comments, outer blanks cut off. */
  readonly text: string;
  readonly heredocs: readonly Heredoc[];
  /** `Dockerfile:line:column`. */
  readonly at: string;
  /** As it was written, on one line, for people. */
  readonly source: string;
}

export interface Flag {
  readonly name: string;
  /** Undefined where there is no `=`. */
  readonly value: string | undefined;
}

/** A document within an instruction: `<<EOF`, `<<-"EOF"`, `3<<EOF`. */
export interface Heredoc {
  readonly name: string;
  /** The word that announces it, as it was written. */
  readonly word: string;
  /** False where its name is in quotes. */
  readonly expands: boolean;
  /** Its lines, each with its line feed; leading tabs are gone where `<<-` asks for that. */
  readonly content: string;
}
