/** @file From what a model answered to what the repository supports: places resolved, sentences about what does not exist removed, both counted. */
import type { AnalysisAnswer, ConfidentTarget, NamedTarget, ScopeAnswer, SynthesisAnswer } from './answers.ts';
import type { Finding, FixLocation, ImplementationHint, NamedPlace, Place, SourcedText, Synthesis } from './findings.ts';
import { mostTargets } from './findings.ts';
import { type KnownNames, namesOf, placeOf, resolveEntity, withoutUnknown } from './naming.ts';
import type { Entity, RepositoryIndex } from './types.ts';

export interface ChosenTarget {
  readonly entity: Entity;
  readonly reason: string;
}

/** In the model's order, each entity once, at most `mostTargets`. */
export function chosenTargets(
  answer: ScopeAnswer,
  index: RepositoryIndex,
): { readonly targets: readonly ChosenTarget[]; readonly unresolved: readonly string[] } {
  const targets = new Map<string, ChosenTarget>();
  const unresolved: string[] = [];
  for (const { file, entity, reason } of answer.targets) {
    const found = resolveEntity(index, file, entity);
    if (!found) unresolved.push(nameOf(file, entity));
    else if (!targets.has(found.id)) targets.set(found.id, { entity: found, reason });
  }
  return { targets: [...targets.values()].slice(0, mostTargets), unresolved };
}

/** Collects the names that had to go while an answer is checked. */
class Check {
  readonly #index: RepositoryIndex;
  readonly #known: KnownNames;
  readonly #unresolved = new Set<string>();

  constructor(index: RepositoryIndex, shown: string) {
    this.#index = index;
    this.#known = { inIndex: namesOf(index), shown };
  }

  get unresolved(): readonly string[] {
    return [...this.#unresolved];
  }

  text(text: string): string {
    const checked = withoutUnknown(text, this.#known);
    for (const name of checked.unresolved) this.#unresolved.add(name);
    return checked.text;
  }

  texts(texts: readonly string[]): readonly string[] {
    return texts.map((text) => this.text(text)).filter((text) => text !== '');
  }

  places<Named extends NamedTarget>(named: readonly Named[]): readonly (Place & { readonly reason: string; readonly named: Named })[] {
    const seen = new Set<string>();
    return named.flatMap((one) => {
      const entity = resolveEntity(this.#index, one.file, one.entity);
      if (!entity) this.#unresolved.add(nameOf(one.file, one.entity));
      if (!entity || seen.has(entity.id)) return [];
      seen.add(entity.id);
      return [{ ...placeOf(entity), reason: this.text(one.reason), named: one }];
    });
  }

  locations(named: readonly ConfidentTarget[]): readonly FixLocation[] {
    const places = this.places(named).map(({ named: { confidence }, ...place }) => ({ ...place, confidence }));
    return places.toSorted((a, b) => b.confidence - a.confidence);
  }

  namedPlaces(named: readonly NamedTarget[]): readonly NamedPlace[] {
    return this.places(named).map(({ named: _, ...place }) => place);
  }
}

/** @param shown what the prompt contained. */
export function findingOf(target: string, place: Place, answer: AnalysisAnswer, index: RepositoryIndex, shown: string): Finding {
  const check = new Check(index, shown);
  const checked = {
    role: check.text(answer.role),
    locations: check.locations(answer.locations),
    insights: check.texts(answer.insights),
    alternatives: check.texts(answer.alternatives),
  };
  return { target, place, ...checked, relevance: answer.relevance, unresolved: check.unresolved };
}

export function synthesisOf(answer: SynthesisAnswer, findings: readonly Finding[], index: RepositoryIndex, shown: string): Synthesis {
  const check = new Check(index, shown);
  const placeOfSource = (source: string): Place | null => findings.find(({ target }) => target === source.trim())?.place ?? null;
  const description = answer.description.map(({ text, source }): SourcedText => ({ text: check.text(text), place: placeOfSource(source) }));
  const hints = answer.hints.flatMap(({ text, code, source }): ImplementationHint[] => {
    // A hint without a source rests on the finding that matters most; they come in that order.
    const place = placeOfSource(source) ?? findings[0]?.place;
    const checked = check.text(text);
    return place && checked !== '' ? [{ text: checked, code, place }] : [];
  });
  const checked = {
    title: check.text(answer.title),
    description: description.filter(({ text }) => text !== ''),
    reproduction: answer.reproduction.map(({ text, code }) => ({ text: check.text(text), code })).filter(({ text, code }) => text !== '' || code !== ''),
    expected: check.texts(answer.expected),
    files: check.namedPlaces(answer.files.map((named) => ({ ...named, entity: '' }))),
    entities: check.namedPlaces(answer.entities).filter(({ entity }) => entity !== undefined),
    locations: check.locations(answer.locations),
    hints,
  };
  return { ...checked, unresolved: check.unresolved };
}

function nameOf(file: string, entity: string): string {
  return entity === '' ? file : file === '' ? entity : `${file}:${entity}`;
}
