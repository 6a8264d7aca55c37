// Package plot draws pictures of flow data as SVG: rates over time, stacked
// ([Rates]), how long and how fast flows are ([Scatter]), and percentiles of
// distributions over time ([Percentiles]).
//
// A picture is one file that needs no other. The same data make the same octets.
// What tells one thing from another is never colour alone, but a pattern, a symbol
// or a dash too. All colours stand out from a white background as from a dark one,
// which is there where the reader has asked for it. Title and description say in
// words what the picture shows, to those who do not see it.
package plot

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"time"
)

// Interval is an interval of a collection.
type Interval struct {
	From, To int64 // nanoseconds since 1970-01-01 00:00:00 UTC
	// Lost are packets that were not captured, Uncounted those that are in no flow.
	Lost, Uncounted uint64
}

// Sizes of a picture, in pixels as long as it is not made larger or smaller.
const (
	width       = 960
	legendWidth = 236
	left        = 66 // of the plot, where the numbers of its axis stand
	right       = width - legendWidth - 24
	top         = 86
	panelHeight = 330 // of a picture with one plot
	bottom      = 64  // below the last plot, for times
	lossHeight  = 10  // of the strip that shows losses
	lineHeight  = 17
)

// Backgrounds and colours, which a test holds to their contrasts. Those of series
// serve for both backgrounds.
const (
	lightBack, lightText, lightFaint = "#ffffff", "#1f2328", "#59636e"
	darkBack, darkText, darkFaint    = "#161b22", "#e6edf3", "#9198a1"
	lossColour                       = "#cf2a2a"
	othersColour                     = "#7a828c"
)

var colours = []string{"#0072b2", "#d55e00", "#00875f", "#b0589a", "#9a7500", "#3a86a8", "#7a5fc0"}

// hatches are drawn over colours, in that of the background: a series has its
// colour and hatch, both in turn, so that neither is alone. There is one more of
// these than of colours.
var hatches = []string{
	"",
	"M-2 2L2 -2M0 8L8 0M6 10L10 6",
	"M2 2h2v2h-2zM6 6h2v2h-2z",
	"M0 2H8M0 6H8",
	"M-2 6L2 10M0 0L8 8M6 -2L10 2",
	"M2 0V8M6 0V8",
	"M0 4H8M4 0V8",
	"M0 0L8 8M8 0L0 8",
}

// picture is an SVG that is being written.
type picture struct {
	bytes.Buffer
	kind string // part of the names in it, so that several fit into one page
}

// newPicture begins a picture. Desc says in words what it shows.
func newPicture(kind string, height int, title, desc string) *picture {
	p := &picture{kind: "rtfm-" + kind}
	fmt.Fprintf(p, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="img" aria-labelledby="%[3]s-title %[3]s-desc">`+"\n",
		width, height, p.kind)
	fmt.Fprintf(p, "<title id=\"%s-title\">%s</title>\n<desc id=\"%[1]s-desc\">%[3]s</desc>\n", p.kind, escape(title), escape(desc))
	p.style()
	fmt.Fprintf(p, "<rect class=\"back\" width=\"%d\" height=\"%d\"/>\n", width, height)
	p.text(16, 28, "title", title)
	return p
}

// style writes the style sheet, and the hatches.
func (p *picture) style() {
	colours := func(back, text, faint string) string {
		return ".back{fill:" + back + "}text{fill:" + text + "}.faint{fill:" + faint + "}.grid,.axis,.edge,.line{fill:none;stroke:" + faint +
			"}.grid{stroke-opacity:.35}.edge,.halo,.hatch{stroke:" + back + "}.edge{stroke-width:.7}.line{stroke:" + text + "}.dots{fill:" + back + "}"
	}
	fmt.Fprintf(p, "<style>\ntext{font:13px system-ui,-apple-system,\"Segoe UI\",\"Noto Sans\",\"DejaVu Sans\",sans-serif;font-variant-numeric:tabular-nums}\n"+
		".title{font-size:18px;font-weight:600}.end{text-anchor:end}.middle{text-anchor:middle}.mark{font-weight:700;text-anchor:middle}\n"+
		".line{stroke-width:2}.dash{stroke-dasharray:6 4}.hatch{fill:none;stroke-width:1.2;stroke-opacity:.6}.halo{fill:none}\n%s\n"+
		"@media(prefers-color-scheme:dark){%s}\n</style>\n", colours(lightBack, lightText, lightFaint), colours(darkBack, darkText, darkFaint))
	p.WriteString("<defs>\n")
	for i, d := range hatches {
		if d != "" {
			fmt.Fprintf(p, "<pattern id=\"%s-hatch%d\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\"><path class=\"hatch\" d=\"%s\"/></pattern>\n", p.kind, i, d)
		}
	}
	p.WriteString("</defs>\n")
}

// writeTo ends the picture and writes it.
func (p *picture) writeTo(w io.Writer) error {
	p.WriteString("</svg>\n")
	_, err := w.Write(p.Bytes())
	return err
}

// text writes s at x, y, which are its left end unless the class says otherwise,
// and its base line.
func (p *picture) text(x, y float64, class, s string) {
	fmt.Fprintf(p, "<text x=\"%s\" y=\"%s\"", num(x), num(y))
	if class != "" {
		fmt.Fprintf(p, " class=\"%s\"", class)
	}
	fmt.Fprintf(p, ">%s</text>\n", escape(s))
}

// path draws lines of a class.
func (p *picture) path(class, d string) {
	fmt.Fprintf(p, "<path class=\"%s\" d=\"%s\"/>\n", class, d)
}

// area fills what d encloses with the colour and hatch of series i; name is shown
// to who points at it, unless it is "".
func (p *picture) area(i int, others bool, d, name string) {
	p.WriteString("<g>")
	if name != "" {
		fmt.Fprintf(p, "<title>%s</title>", escape(name))
	}
	fmt.Fprintf(p, "<path fill=\"%s\" d=\"%s\"/>", colourOf(i, others), d)
	if h := i % len(hatches); h > 0 && !others {
		fmt.Fprintf(p, "<path fill=\"url(#%s-hatch%d)\" d=\"%s\"/>", p.kind, h, d)
	}
	fmt.Fprintf(p, "<path class=\"edge\" d=\"%s\"/></g>\n", d)
}

// swatch draws what area would in a legend.
func (p *picture) swatch(i int, others bool, y float64) {
	x := num(right + 24)
	p.area(i, others, "M"+x+" "+num(y-11)+"h14v14h-14z", "")
}

// colourOf returns the colour of series i.
func colourOf(i int, others bool) string {
	if others {
		return othersColour
	}
	return colours[i%len(colours)]
}

// num returns a coordinate as text, to a tenth of a pixel.
func num(x float64) string {
	s := strconv.FormatFloat(x, 'f', 1, 64)
	if n := len(s) - 2; s[n:] == ".0" {
		s = s[:n]
	}
	if s == "-0" {
		return "0"
	}
	return s
}

// escape returns s as it stands in XML, with what cannot stand there replaced.
func escape(s string) string {
	var b bytes.Buffer
	xml.EscapeText(&b, []byte(s)) // a Buffer takes all
	return b.String()
}

// shorten returns s with its middle left out if it is longer than n runes.
func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	head := (n - 1) / 2
	return string(r[:head]) + "…" + string(r[len(r)-(n-1-head):])
}

// zone returns loc, UTC if it is nil.
func zone(loc *time.Location) *time.Location {
	if loc == nil {
		return time.UTC
	}
	return loc
}
