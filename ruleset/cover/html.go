package cover

import (
	"html/template"
	"io"
)

// page is one that needs nothing else: dark or light as the reader has it. What never
// ran is told by a word, not by its colour alone.
var page = template.Must(template.New("cover").Funcs(template.FuncMap{"grouped": grouped}).Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Coverage of {{.R.Program}}</title>
<style>
:root { color-scheme: light dark; --back: #fff; --text: #1b1b1b; --soft: #5a5a5a; --line: #d8d8d8; --dead: #ffe3df; --warn: #8c1d0a; }
@media (prefers-color-scheme: dark) {
:root { --back: #16181b; --text: #e6e6e6; --soft: #a5a9ae; --line: #3a3f45; --dead: #45211c; --warn: #ffab9c; }
}
body { margin: 1.5rem auto; max-width: 75rem; padding: 0 1rem; background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th { text-align: left; font-weight: 600; border-bottom: 1px solid var(--line); }
th, td { padding: 0 .6rem; vertical-align: top; }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.n, td.at { color: var(--soft); }
td.code { font: .9rem/1.6 ui-monospace, monospace; white-space: pre-wrap; }
.all { overflow-x: auto; }
tr.dead { background: var(--dead); }
b.dead { color: var(--warn); font-weight: 600; }
</style>
</head>
<body>
<main>
<h1>Coverage of {{.R.Program}}</h1>
<ul>
{{range .R.Summary}}<li>{{.}}</li>
{{end}}</ul>
{{range .R.Files}}<div class="all"><table>
<caption>{{.Name}}</caption>
<thead><tr><th scope="col" class="n">Line</th><th scope="col" class="n">Ran</th><th scope="col">Tests</th><th scope="col">Text</th></tr></thead>
<tbody>
{{range .Lines}}<tr{{if .Dead}} class="dead"{{end}}><td class="n">{{.Line}}</td><td class="n">{{if .Dead}}<b class="dead">never</b>{{else if .Code}}{{grouped .Runs}}{{end}}</td><td class="at">{{range .Tests}}<div>{{.Attr}}: {{if .Never}}<b class="dead">never held</b>{{else}}held {{grouped .Held}}{{end}}, failed {{grouped .Failed}}</div>{{end}}</td><td class="code">{{.Text}}</td></tr>
{{end}}</tbody>
</table></div>
{{end}}{{if .Left}}<div class="all"><table>
<caption>What was not counted, the most packets first</caption>
<thead><tr><th scope="col">Verdict</th><th scope="col">Family</th><th scope="col">Protocol</th><th scope="col">Port or type</th><th scope="col" class="n">Packets</th><th scope="col" class="n">Octets</th></tr></thead>
<tbody>
{{range .Left}}<tr><td>{{.Verdict}}</td><td>{{.Family}}</td><td>{{.Protocol}}</td><td>{{.Port}}</td><td class="n">{{grouped .Packets}}</td><td class="n">{{grouped .Octets}}</td></tr>
{{end}}</tbody>
</table></div>
{{end}}</main>
</body>
</html>
`))

// mostLeft is how many kinds of packets that were not counted a page has.
const mostLeft = 50

// WriteHTML writes the report as a page.
func (r *Report) WriteHTML(w io.Writer) error {
	return page.Execute(w, struct {
		R    *Report
		Left []Left
	}{r, r.Left[:min(len(r.Left), mostLeft)]})
}
