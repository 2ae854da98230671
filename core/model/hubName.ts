/** @file `hub:org/name@revision`: a model by its name on the Hugging Face hub. */

export interface HubName {
  /** `org/name`. */
  readonly repo: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
}

const pattern = /^hub:((?:[\w-][\w.-]*\/)?[\w-][\w.-]*)(?:@([\w.-]+(?:\/[\w.-]+)*))?$/;

export function isHubName(model: string): boolean {
  return model.startsWith('hub:');
}

/** @throws Error when it is not of that form. */
export function parseHubName(model: string): HubName {
  const [, repo, revision = 'main'] = pattern.exec(model) ?? [];
  if (repo === undefined || revision.split('/').includes('..')) throw new Error(`expected hub:org/name or hub:org/name@revision, got ${JSON.stringify(model)}`);
  return { repo, revision };
}

export function hubNameText({ repo, revision }: HubName): string {
  return `hub:${repo}@${revision}`;
}

/** A commit says for ever what the model is. */
export function isPinned({ revision }: HubName): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}
