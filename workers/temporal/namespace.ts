/** @file What turnwise needs of a namespace: its search attributes, and a retention long enough that finished runs stay visible. Idempotent. */
import type { Connection } from '@temporalio/client';
import type { TemporalConfig } from '../config/temporalConfig.ts';

/** `IndexedValueType` of the Temporal API (temporal/api/enums/v1/common.proto). */
const valueType = { Keyword: 2, Int: 3, Double: 4 } as const;

export interface NamespaceState {
  readonly retentionMs: number;
  readonly missingAttributes: readonly string[];
}

export async function describeNamespace(connection: Connection, namespace: string, config: TemporalConfig): Promise<NamespaceState> {
  const [{ config: settings }, { customAttributes }] = await Promise.all([
    connection.workflowService.describeNamespace({ namespace }),
    connection.operatorService.listSearchAttributes({ namespace }),
  ]);
  const seconds = Number(settings?.workflowExecutionRetentionTtl?.seconds ?? 0);
  const missing = Object.keys(config.searchAttributes).filter((name) => customAttributes?.[name] === undefined);
  return { retentionMs: seconds * 1000, missingAttributes: missing };
}

/** Adds what is missing; never lowers a longer retention. */
export async function prepareNamespace(connection: Connection, namespace: string, config: TemporalConfig): Promise<void> {
  const state = await describeNamespace(connection, namespace, config);
  if (state.missingAttributes.length > 0) {
    const wanted = Object.entries(config.searchAttributes).filter(([name]) => state.missingAttributes.includes(name));
    const searchAttributes = Object.fromEntries(wanted.map(([name, type]) => [name, valueType[type]]));
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  }
  if (state.retentionMs < config.devServer.retention) {
    const workflowExecutionRetentionTtl = { seconds: config.devServer.retention / 1000 };
    await connection.workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl } as never });
  }
}
