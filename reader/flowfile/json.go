package flowfile

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"rtfm/reader/record"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"
)

// jsonLine appends a record that is not a flow's. All of them can be
// marshalled.
func (w *Writer) jsonLine(record any) {
	line, err := json.Marshal(record)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.buf = append(append(w.buf, line...), '\n')
}

func jsonHeader(h *Header, epoch int64, format string, statistics *bool) any {
	return struct {
		Record     string   `json:"record"`
		Version    string   `json:"version"`
		Parameters string   `json:"parameters"`
		Meter      string   `json:"meter"`
		Interfaces []string `json:"interfaces"`
		MaxFlows   int      `json:"maxFlows"`
		StartNs    int64    `json:"startNs"`
		EpochNs    int64    `json:"epochNs"`
		Format     string   `json:"format,omitempty"`
		Statistics *bool    `json:"statistics,omitempty"`
	}{"header", h.Version, h.Parameters, name(h.Meter), append([]string{}, h.Interfaces...), h.MaxFlows, h.Start.UnixNano(), epoch, format, statistics}
}

func jsonStart(c *Times, boot string, in *interval, clock int64, postponed int) any {
	return struct {
		Record  string `json:"record"`
		Meter   string `json:"meter"`
		Boot    string `json:"boot,omitempty"`
		From    uint64 `json:"from"`
		To      uint64 `json:"to"`
		StartNs int64  `json:"startNs"`
		EndNs   int64  `json:"endNs"`
		ClockNs int64  `json:"clockNs,omitempty"`

		Postponed int `json:"postponed,omitempty"`
	}{"start", c.Meter, boot, c.From, c.To, in.start, in.end, clock, postponed}
}

func jsonSkipped(n int) any {
	return struct {
		Record      string `json:"record"`
		Collections int    `json:"collections"`
	}{"skipped", n}
}

// appendJSONEnd appends the record of a collection's end.
func appendJSONEnd(b []byte, s *record.Summary) []byte {
	b = append(b, `{"record":"end"`...)
	b = appendMembers(b, known(s))
	if len(s.RuleSets) > 0 {
		b = append(b, `,"rulesets":[`...)
		for i := range s.RuleSets {
			r := &s.RuleSets[i]
			begin := len(b) // a comma, which becomes the brace
			b = appendMembers(b, ruleSetNumbers(r))
			b[begin] = '{'
			if r.Collected != nil {
				b = strconv.AppendUint(append(b, `,"collected":`...), *r.Collected, 10)
			}
			b = append(b, "},"...)
		}
		b[len(b)-1] = ']'
	}
	return append(b, "}\n"...)
}

// appendMembers appends `,"name":number` for each.
func appendMembers(b []byte, all numbers) []byte {
	all(func(name string, n *uint64) {
		quoted, _ := json.Marshal(name) // no string fails
		b = append(b, ',')
		b = append(append(b, quoted...), ':')
		b = strconv.AppendUint(b, *n, 10)
	})
	return b
}

// jsonLead returns what the rows of a ruleset begin with.
func (p *page) jsonLead(number int) []byte {
	b := append([]byte(nil), jsonFlow...)
	for i, v := range p.identity(number) {
		if v.text == "" {
			continue
		}
		b = append(append(append(b, '"'), record.Identity()[i].Name...), `":`...)
		if v.quoted {
			quoted, _ := json.Marshal(v.text) // no string fails
			b = append(b, quoted...)
		} else {
			b = append(b, v.text...)
		}
		b = append(b, ',')
	}
	if p.opts.ISO {
		b = fmt.Appendf(b, `"IntervalStartISO":"%s","IntervalEndISO":"%s",`, appendTime(nil, p.in.start), appendTime(nil, p.in.end))
	}
	return b[:len(b)-1]
}

// jsonPrinter returns the printer of a flow record as a JSON object, behind its lead.
func (p *page) jsonPrinter(s *match.Shape) *printer {
	pr := &printer{shape: s, unknown: "null"}
	if p.opts.ISO {
		pr.text(`,"FirstTimeISO":"`)
		pr.value(kindFirstText, 0, 0)
		pr.text(`","LastActiveTimeISO":"`)
		pr.value(kindLastText, 0, 0)
		pr.text(`"`)
	}
	numbers := func(columns []record.Column) {
		for _, c := range columns {
			a, _ := attr.ByName(c.Name)
			if slices.Contains(p.missing(), a) {
				continue
			}
			pr.text(`,"` + c.Name + `":`)
			pr.value(measured[a], 0, 0)
		}
	}
	numbers(record.Own())
	for _, sv := range s.Saved {
		pr.jsonSaved(sv, p.opts.again || p.names(s.RuleSet).Has(sv.Attr))
	}
	for i := range s.Measures {
		if s.Measures[i].Attr.Form() == attr.FormBuckets {
			pr.jsonDistribution(i)
		} else {
			pr.jsonStatistic(i)
		}
	}
	numbers(record.Counted())
	pr.text("}\n")
	return pr
}

// jsonSaved adds a saved attribute, its name if values of it may have some, and its mask
// if it is an address that was not saved whole. An address that the packets did not have
// is left out.
func (p *printer) jsonSaved(sv match.Saved, named bool) {
	n := p.shape.Len(sv.Attr)
	if n == 0 {
		return
	}
	in := sv.Attr.Info()
	quote := ""
	if k := keyKind(sv.Attr, n); k != kindUint8 && k != kindUint16 && k != kindUint32 {
		quote = `"`
	}
	p.text(`,"` + in.Name + `":` + quote)
	p.value(keyKind(sv.Attr, n), in.Offset, n)
	p.text(quote)
	if named && record.IsNamed(sv.Attr) {
		p.name(kindNameJSON, sv.Attr)
	}
	mask := sv.Attr.Mask()
	if mask == attr.Null || sv.Mask == attr.Ones(n) {
		return
	}
	text, isWidth := rowMask(sv)
	if !isWidth {
		text = `"` + text + `"`
	}
	p.text(`,"` + mask.String() + `":` + text)
}

// appendNameJSON appends the member that has the name of a value, if it has one.
func appendNameJSON(b []byte, a attr.Attr, name string) []byte {
	if name == "" {
		return b
	}
	b = append(append(append(b, `,"`...), record.NameColumn(a)...), `":`...)
	for _, c := range []byte(name) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(name) // no string fails
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), name...), '"')
}

// rowMask returns the mask of an address in rows: its width, if it has one, else as
// text has it.
func rowMask(sv match.Saved) (text string, isWidth bool) {
	if width, ok := sv.Mask.Width(); ok {
		return strconv.Itoa(width), true
	}
	return maskText(sv.Attr, sv.Mask), false
}
