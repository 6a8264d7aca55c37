package flowfile

import (
	"encoding/json"
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

func jsonHeader(h *Header, epoch int64) any {
	return struct {
		Record     string   `json:"record"`
		Version    string   `json:"version"`
		Parameters string   `json:"parameters"`
		Meter      string   `json:"meter"`
		Interfaces []string `json:"interfaces"`
		MaxFlows   int      `json:"maxFlows"`
		StartNs    int64    `json:"startNs"`
		EpochNs    int64    `json:"epochNs"`
	}{"header", h.Version, h.Parameters, name(h.Meter), append([]string{}, h.Interfaces...), h.MaxFlows, h.Start.UnixNano(), epoch}
}

func jsonStart(c *Collection, start, end int64) any {
	return struct {
		Record  string `json:"record"`
		Meter   string `json:"meter"`
		From    uint64 `json:"from"`
		To      uint64 `json:"to"`
		StartNs int64  `json:"startNs"`
		EndNs   int64  `json:"endNs"`
	}{"start", c.Meter, c.From, c.To, start, end}
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
	b = appendMembers(b, all(s))
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

// jsonPrinter returns the printer of a flow record as a JSON object.
func jsonPrinter(s *match.Shape) *printer {
	p := &printer{shape: s}
	p.text(`{"record":"flow","FlowRuleSet":` + strconv.Itoa(s.RuleSet))
	number := func(name string, k kind) {
		p.text(`,"` + name + `":`)
		p.value(k, 0, 0)
	}
	number("FlowIndex", kindIndex)
	number("FirstTime", kindFirstTime)
	number("LastActiveTime", kindLastTime)
	number("FirstTimeNs", kindFirstNs)
	number("LastActiveTimeNs", kindLastNs)
	for _, sv := range s.Saved {
		p.jsonSaved(sv)
	}
	for i := range s.Distributions {
		p.jsonDistribution(i)
	}
	number("ToPDUs", kindToPDUs)
	number("FromPDUs", kindFromPDUs)
	number("ToOctets", kindToOctets)
	number("FromOctets", kindFromOctets)
	number("DeltaToPDUs", kindDeltaToPDUs)
	number("DeltaFromPDUs", kindDeltaFromPDUs)
	number("DeltaToOctets", kindDeltaToOctets)
	number("DeltaFromOctets", kindDeltaFromOctets)
	p.text("}\n")
	return p
}

// jsonSaved adds a saved attribute, and its mask if it is an address that was
// not saved whole.
func (p *printer) jsonSaved(sv match.Saved) {
	in := sv.Attr.Info()
	n := p.shape.Len(sv.Attr)
	p.text(`,"` + in.Name + `":`)
	k := keyKind(sv.Attr, n)
	quoted := k != kindUint8 && k != kindUint16 && k != kindUint32
	if quoted {
		p.text(`"`)
	}
	if n > 0 {
		p.value(k, in.Offset, n)
	}
	if quoted {
		p.text(`"`)
	}
	mask := sv.Attr.Mask()
	if mask == attr.Null || sv.Mask == attr.Ones(n) {
		return
	}
	p.text(`,"` + mask.String() + `":`)
	if width, ok := sv.Mask.Width(); ok {
		p.text(strconv.Itoa(width))
	} else {
		p.text(`"` + maskText(sv.Attr, sv.Mask) + `"`)
	}
}
