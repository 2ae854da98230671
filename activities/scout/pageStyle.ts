/** @file What the page of a scout adds to the style of reports. */
export const pageStyle = `
.targets th code,.finding h4 code{overflow-wrap:anywhere}
.targets th{text-align:left;min-width:14rem}
.targets th small{display:block;font-size:.8rem}
.targets tr.filtered,.targets tr.dropped,.targets tr.unaffordable{color:var(--quiet)}
.meter{display:inline-block;width:64px;height:6px;border-radius:3px;background:var(--line);overflow:hidden;vertical-align:middle;margin-right:.6rem}
.meter span{display:block;height:100%;background:var(--good)}
.statement{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:6px 22px 18px}
.statement h3{color:var(--ink);margin:1.6rem 0 .4rem;font-size:1.05rem}
.statement h4{margin:1.1rem 0 .3rem;color:var(--quiet)}
.statement li{margin:.45rem 0;max-width:52em}.statement ul,.statement ol,.finding ul{padding-left:1.2rem;margin:.3rem 0}
.statement pre{margin:.5rem 0;max-height:32em}
.at{color:var(--quiet);font-size:.8em;overflow-wrap:anywhere}
.finding{margin:14px 0}.finding h4{margin:.9rem 0 .2rem}.finding header h4{margin:0}.finding header{grid-template-columns:1fr auto}
.finding li{margin:.25rem 0}
`;
