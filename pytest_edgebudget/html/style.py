"""The look of the page: light and dark, wide and narrow, without a script."""

CSS = """
:root{color-scheme:light dark;--bg:#fff;--ink:#1b2430;--soft:#566271;--line:#d8dee6;--card:#f6f8fa;
--good:#0a6b46;--bad:#b3261e;--warn:#7a5200;--bar:#9db4cc;--accent:#1d4ed8;--dot:#5b6b7d}
@media (prefers-color-scheme:dark){:root{--bg:#12161c;--ink:#e6ebf1;--soft:#a3b0be;--line:#323c48;
--card:#1a2029;--good:#5fd3a0;--bad:#ff8a80;--warn:#f2c265;--bar:#4a6583;--accent:#8ab4ff;--dot:#93a4b7}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1100px;padding:1.2rem;background:var(--bg);color:var(--ink);
font:16px/1.5 system-ui,"Segoe UI","DejaVu Sans",sans-serif}
h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.15rem;margin:2rem 0 .2rem}
h3{font-size:1rem;margin:1.2rem 0 .3rem}p{margin:.3rem 0}.soft{color:var(--soft);font-size:.9rem}
a{color:var(--accent)}:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.chips{display:flex;flex-wrap:wrap;gap:.5rem;padding:0;margin:.8rem 0;list-style:none}
.chips li{border:1px solid var(--line);border-radius:1rem;padding:.1rem .8rem;
background:var(--card)}
details{border:1px solid var(--line);border-radius:.5rem;margin:.6rem 0;background:var(--card)}
details details{background:var(--bg)}summary{cursor:pointer;padding:.5rem .8rem;font-weight:600}
summary .soft{font-weight:400}.inside{padding:0 .8rem .8rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line);
vertical-align:top}
th{font-weight:600;color:var(--soft)}.n,th.n{text-align:right;padding-right:1rem;font-variant-numeric:tabular-nums}
.wide{overflow-x:auto}svg.bar{width:130px;height:16px;vertical-align:middle}
svg.plot{width:100%;max-width:640px;height:auto;display:block}
.kept{color:var(--good)}.broken,.unmeasured,.error{color:var(--bad);font-weight:700}
.undecided,.warned,.waived,.skipped{color:var(--warn);font-weight:600}
.track{fill:var(--line)}.fill{fill:var(--bar)}.fill.broken{fill:var(--bad)}.limit{stroke:var(--ink)}
.range{stroke:var(--soft)}.axis{stroke:var(--line)}.label{fill:var(--soft);font-size:11px}
.dot{fill:var(--dot)}.dot.chosen{fill:var(--good)}.dot.rejected{fill:none;stroke:var(--dot)}
.trend{fill:none;stroke:var(--accent);stroke-width:1.8}
.change{stroke:var(--bad);stroke-dasharray:4 3}
.samples{display:flex;flex-wrap:wrap;gap:.7rem}
.samples figure{margin:0;width:96px;font-size:.8rem}
.samples img{width:96px;height:96px;object-fit:contain;image-rendering:pixelated;
border:1px solid var(--line)}
.map{background:#fff;overflow-x:auto}
@media (min-width:641px){.n{white-space:nowrap}}
@media (max-width:640px){body{padding:.7rem}table.stack thead{position:absolute;left:-9999px}
table.stack tr{display:block;border-bottom:2px solid var(--line);padding:.4rem 0}
table.stack td{display:flex;justify-content:space-between;gap:1rem;border:0;padding:.1rem 0;
text-align:right}
table.stack td::before{content:attr(data-label);color:var(--soft);text-align:left}}
@media print{details>*{display:block}}
"""
