/** @file The report's style: one column, two schemes, one scale of colour (teal earns, rust costs). */

export const style = `
:root{color-scheme:light dark;--paper:#fcfbf8;--card:#fff;--ink:#1d2125;--quiet:#5d666f;--line:#e5e2da;--good:#0d6f68;--bad:#a8452c;--accent:#0d6f68;--code:#f5f3ed}
@media (prefers-color-scheme:dark){:root{--paper:#15181b;--card:#1b1f23;--ink:#e4e6e8;--quiet:#9aa4ad;--line:#2d3338;--good:#5cc9bd;--bad:#ee9276;--accent:#5cc9bd;--code:#14171a}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1088px;margin:0 auto;padding:56px 24px 80px}
h1,h2,.verdict{font-family:Charter,"Iowan Old Style","Source Serif 4",Georgia,"Liberation Serif",serif;font-weight:600;line-height:1.2;text-wrap:balance}
h1{font-size:1.05rem;margin:0;color:var(--quiet);font-weight:500;overflow-wrap:anywhere}
.standing{border-left:3px solid var(--bad);padding:.35rem 0 .35rem .8rem;margin:.6rem 0 0;max-width:60em}
.verdict{font-size:2.1rem;margin:.35rem 0 1.6rem;letter-spacing:-.01em;max-width:24em}
h2{font-size:1.4rem;margin:3.6rem 0 .9rem}
h3{font-size:1rem;margin:2rem 0 .8rem;color:var(--quiet);font-weight:600}
h4{font-size:.95rem;margin:0;font-weight:600;overflow-wrap:anywhere}
p{margin:.6rem 0;max-width:46em}
code,pre{font-family:ui-monospace,"SF Mono",SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
code{font-size:.875em}
small,.quiet,.note,.meaning{color:var(--quiet);font-weight:400}
.note{font-size:.85rem}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(240px,1fr));gap:1rem 2rem;margin:0;padding:1.3rem 0 0;border-top:1px solid var(--line)}
.facts dt{font-size:.8rem;color:var(--quiet)}
.facts dd{margin:.1rem 0 0;font-size:.95rem;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-size:.95rem;margin:.6rem 0}
th,td{padding:.6rem 0 .6rem 1.5rem;border-bottom:1px solid var(--line);text-align:right;vertical-align:top}
th:first-child,td:first-child{padding-left:0;text-align:left}
thead th{font-weight:500;color:var(--quiet);font-size:.85rem}
tbody th{font-weight:500}
td small{display:block;font-size:.8rem}
.text{text-align:left;overflow-wrap:anywhere}
td.good{color:var(--good);font-weight:600}td.bad{color:var(--bad);font-weight:600}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 14px 8px;display:flex;flex-direction:column}
figcaption{display:grid;grid-template-columns:1fr auto;column-gap:1rem;align-items:baseline}
figcaption b{font-weight:600;font-size:.95rem}
.last{font-size:.95rem;font-weight:600;color:var(--accent)}
.meaning{grid-column:1/-1;font-size:.8rem}
.wide{margin-bottom:16px}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));gap:16px}
svg{display:block;width:100%;height:auto;margin-top:auto;padding-top:4px;overflow:visible}
svg text{font-size:11px;fill:var(--quiet);font-family:inherit}
.axis line{stroke:var(--line)}
polyline{fill:none;stroke:var(--accent);stroke-linejoin:round;stroke-linecap:round}
.raw{stroke-width:1;opacity:.35}.trend{stroke-width:2}
.mark line{stroke:var(--ink);stroke-width:1.5}.mark circle{fill:var(--card);stroke:var(--ink);stroke-width:1.75}
.point rect{fill:transparent}.tip{opacity:0;pointer-events:none}.point:hover .tip{opacity:1}
.tip line{stroke:var(--quiet);stroke-dasharray:2 3}.tip circle{fill:var(--accent)}.tip text{fill:var(--ink);font-weight:600}
.bar{height:8px;border-radius:4px;background:var(--line);overflow:hidden;margin:.9rem 0 1.4rem}.bar span{display:block;height:100%;background:var(--good)}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,460px),1fr));gap:16px;align-items:start}
.trajectory{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px 18px;min-width:0}
.trajectory header{display:grid;grid-template-columns:auto 1fr auto;gap:.2rem .7rem;align-items:baseline}
.trajectory .total{margin:0;font-size:.85rem;grid-column:1/-1}
.outcome{font-size:.8rem;font-weight:600;padding:.1rem .55rem;border-radius:99px;border:1px solid currentColor}
.outcome.good{color:var(--good)}.outcome.bad{color:var(--bad)}
.prompt{font-size:.95rem;white-space:pre-wrap;overflow-wrap:anywhere;margin:.9rem 0;max-height:12em;overflow:auto}
.turns{list-style:none;margin:0;padding:0;display:grid;gap:10px}
.turn{--colour:var(--line);display:grid;grid-template-columns:minmax(0,1fr) 8.2rem;gap:16px;padding:10px 12px;border-radius:0 8px 8px 0;border-left:4px solid color-mix(in srgb,var(--colour) calc(25% + .75*var(--strength)),var(--line));background:color-mix(in srgb,var(--colour) calc(.1*var(--strength)),var(--card))}
.turn.good{--colour:var(--good)}.turn.bad{--colour:var(--bad)}
.kind{margin:0 0 .35rem;font-size:.8rem;color:var(--quiet)}
.flag{margin-left:.5rem;color:var(--bad);font-weight:600}
pre{margin:0;padding:8px 10px;background:var(--code);border-radius:6px;font-size:.82rem;line-height:1.5;white-space:pre-wrap;overflow-wrap:anywhere;max-height:18em;overflow:auto;unicode-bidi:isolate}
pre.output{margin-top:4px;background:none;padding:2px 10px;color:var(--quiet)}pre.output::before{content:"→ "}pre.failed{color:var(--bad)}
.earned{display:grid;grid-template-columns:1fr auto;margin:0;font-size:.8rem;row-gap:.05rem;align-content:start}
.earned dt{color:var(--quiet)}.earned dd{margin:0;padding-left:.6rem;text-align:right}
.sum{border-top:1px solid var(--line);margin-top:.25rem!important;padding-top:.25rem}
.advantage{font-weight:600;color:var(--ink)!important}.turn.good dd.advantage{color:var(--good)!important}.turn.bad dd.advantage{color:var(--bad)!important}
.end{font-size:.8rem;margin:.8rem 0 0}
details{margin-top:1.2rem}summary{cursor:pointer;color:var(--quiet);font-size:.9rem}
summary:focus-visible{outline:2px solid var(--accent);outline-offset:3px;border-radius:3px}
footer{margin-top:4rem;padding-top:1.2rem;border-top:1px solid var(--line);font-size:.85rem;color:var(--quiet)}
@media (max-width:560px){main{padding:32px 16px}.verdict{font-size:1.6rem}.turn{grid-template-columns:1fr}th,td{padding-left:.7rem}}
@media print{figure,.trajectory{break-inside:avoid}}
`;
