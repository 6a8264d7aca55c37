package flowfile

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"rtfm/reader/record"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"
)

// distribution adds measure a: of a distribution mask, value and counters with colons
// between them.
func (p *printer) distribution(a attr.Attr) {
	switch at := p.measure(a); {
	case at < 0:
		p.text("0")
	case a.Form() == attr.FormBuckets:
		p.distributionOf(a, kindCounters)
	default:
		p.statistic(at)
	}
}

// distributionOf adds distribution a with its counters of this kind, if the flows
// have it.
func (p *printer) distributionOf(a attr.Attr, counters kind) {
	if i := p.measure(a); i >= 0 {
		d := &p.shape.Measures[i]
		b := append(attr.AppendParameters(nil, d.Mask), ':')
		p.text(string(attr.AppendParameters(b, d.Value)))
		p.value(counters, i, 0)
	}
}

// counters returns the counters of distribution i of the flow.
func counters(f *match.Flow, i int) []uint64 {
	if i < len(f.Counters) {
		return f.Counters[i]
	}
	return make([]uint64, f.Shape.Measures[i].Counters())
}

func appendCounters(b []byte, separator byte, counters []uint64) []byte {
	for _, c := range counters {
		b = strconv.AppendUint(append(b, separator), c, 10)
	}
	return b
}

// parseDistribution reads what distribution prints. Flows without one have 0,
// and no counters.
func parseDistribution(a attr.Attr, text string) (d attr.Measure, counters []uint64, err error) {
	if text == "0" {
		return d, nil, nil
	}
	fields := strings.Split(text, ":")
	if len(fields) < 3 {
		return d, nil, errors.New("want mask, value and counters with colons between them")
	}
	if d, err = parseParameters(a, fields[0], fields[1]); err != nil {
		return d, nil, err
	}
	if fields = fields[2:]; len(fields) != d.Counters() {
		return d, nil, fmt.Errorf("%d counters for %d buckets and the overflow", len(fields), d.Buckets())
	}
	for _, f := range fields {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return d, nil, fmt.Errorf("counter %q is not a number", f)
		}
		counters = append(counters, n)
	}
	return d, counters, nil
}

// parseParameters reads the mask and value of a distribution.
func parseParameters(a attr.Attr, mask, value string) (d attr.Measure, err error) {
	d.Attr = a
	if d.Mask, err = a.ParseMeasure(mask); err != nil {
		return d, err
	}
	if d.Value, err = a.ParseMeasure(value); err != nil {
		return d, err
	}
	return d, d.Check()
}

// jsonDistribution adds distribution i of the shape as an object.
func (p *printer) jsonDistribution(i int) {
	d := &p.shape.Measures[i]
	transform := "linear"
	if d.Transform() == attr.Logarithmic {
		transform = "logarithmic"
	}
	p1, p2, p3 := d.Parameters()
	b := fmt.Appendf(nil, `,"%s":{"mask":"%s","value":"%s","transform":"%s","unit":"%s","parameters":[%d,%d,%d]`, d.Attr,
		attr.AppendParameters(nil, d.Mask), attr.AppendParameters(nil, d.Value), transform, d.Attr.Unit(), p1, p2, p3)
	if d.Attr.CountsPairs() {
		b = fmt.Appendf(b, `,"pairs":"%s"`, attr.PairKind(p1))
	}
	limits := d.Limits()
	b = append(appendList(append(b, `,"limits":`...), limits), ',')
	p.text(string(b))
	p.value(kindCountersJSON, i, 0)
	p.pieces[len(p.pieces)-1].limits = limits
	p.text(`,"delta":`)
	p.value(kindDeltaCountersJSON, i, 0)
	p.pieces[len(p.pieces)-1].limits = limits
	p.text("}")
}

// deltaCounters returns what a distribution counted in the interval, nil if that is
// not known.
func (p *printer) deltaCounters(pc *piece, delta *record.Counters) []uint64 {
	counters := delta.Measures
	for i := range p.shape.Measures[:pc.offset] {
		counters = counters[min(p.shape.Measures[i].Counters(), len(counters)):]
	}
	n := p.shape.Measures[pc.offset].Counters()
	if len(counters) < n {
		return nil
	}
	return counters[:n]
}

// appendDelta appends what a distribution counted in the interval: its counters as
// text has them.
func (p *printer) appendDelta(b []byte, pc *piece, delta *record.Counters) []byte {
	for i, c := range p.deltaCounters(pc, delta) {
		if i > 0 {
			b = append(b, ':')
		}
		b = strconv.AppendUint(b, c, 10)
	}
	return b
}

// appendDeltaJSON appends what a distribution counted in the interval as an object.
func (p *printer) appendDeltaJSON(b []byte, pc *piece, delta *record.Counters) []byte {
	counters := p.deltaCounters(pc, delta)
	if counters == nil {
		return append(b, "null"...)
	}
	return append(appendJSONCounters(append(b, '{'), pc.limits, counters), '}')
}

func appendList(b []byte, numbers []uint64) []byte {
	from := len(b)
	b = append(appendCounters(b, ',', numbers), ']')
	b[from] = '['
	return b
}

// appendJSONCounters appends members of an object: the counters as a list, and
// what they come to.
func appendJSONCounters(b []byte, limits, counters []uint64) []byte {
	b = appendList(append(b, `"counters":`...), counters)
	s := attr.Summarise(limits, counters)
	b = append(b, `,"count":`...)
	b = strconv.AppendUint(b, s.Count, 10)
	if s.Count == 0 {
		return b
	}
	b = append(b, `,"mean":`...)
	b = strconv.AppendFloat(b, math.Round(s.Mean*10)/10, 'f', -1, 64)
	for i, q := range attr.Quantiles {
		b = fmt.Appendf(b, `,"p%v":`, q)
		if s.Quantiles[i] == attr.Overflow {
			b = append(b, "null"...)
		} else {
			b = strconv.AppendUint(b, s.Quantiles[i], 10)
		}
	}
	return b
}
