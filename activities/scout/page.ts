/** @file report.html of one scout. */
import type { ScoutReport } from '../../core/scout/report.ts';

export function renderScoutPage(report: ScoutReport): string {
  return report.method;
}
