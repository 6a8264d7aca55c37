package feature

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"rtfm/reader/feed"
	"rtfm/ruleset/attr"
)

// JSON writes rows as lines of JSON.
type JSON struct {
	w io.Writer
	b []byte
}

// NewJSON returns one that writes to w.
func NewJSON(w io.Writer) *JSON { return &JSON{w: w} }

// Row implements Rows.
func (j *JSON) Row(r *Row) error {
	j.b = appendJSON(j.b, r)
	if len(j.b) >= blockLen {
		return j.Flush()
	}
	return nil
}

// Flush implements Rows.
func (j *JSON) Flush() error {
	if len(j.b) == 0 {
		return nil
	}
	_, err := j.w.Write(j.b)
	j.b = j.b[:0]
	return err
}

// Close implements Rows. It does not close the file.
func (j *JSON) Close() error { return j.Flush() }

// appendJSON appends the line of a row. Numbers have the names and forms that they have
// in flow data.
func appendJSON(b []byte, r *Row) []byte {
	f := r.Flow
	b = append(b, `{"record":"features","why":"`...)
	b = append(append(b, r.Why.String()...), `","Meter":`...)
	b = appendString(b, r.Meter.Name)
	b = strconv.AppendUint(append(b, `,"Domain":`...), uint64(r.Meter.Domain), 10)
	b = attr.FormID.AppendStatistic(append(b, `,"FlowID":"`...), []uint64{f.Flow})
	b = append(b, `","CommunityID":`...)
	if id := r.communityID(); id != "" {
		b = append(append(append(b, '"'), id...), '"')
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"RuleSetName":`...)
	b = appendString(b, f.Shape.Name)
	b = strconv.AppendUint(append(b, `,"FlowRuleSet":`...), uint64(f.Shape.RuleSet), 10)
	b = appendKeyJSON(b, r.identity)
	b = strconv.AppendInt(append(b, `,"FirstTimeNs":`...), r.Begun, 10)
	b = strconv.AppendInt(append(b, `,"LastActiveTimeNs":`...), r.Last, 10)
	for way, name := range ways {
		b = strconv.AppendUint(append(append(b, `,"`+name...), `PDUs":`...), r.PDUs[way], 10)
	}
	for way, name := range ways {
		b = strconv.AppendUint(append(append(b, `,"`+name...), `Octets":`...), r.Octets[way], 10)
	}
	b = append(b, `,"FirstPackets":{`...)
	b = appendList(b, "octets", f.first, func(l attr.Listed) int64 { return int64(l.Octets()) })
	b = appendList(append(b, ','), "directions", f.first, func(l attr.Listed) int64 { return int64(direction(l)) })
	b = appendList(append(b, ','), "gaps", f.first, func(l attr.Listed) int64 { return int64(l.Gap()) })
	b = appendList(append(b, ','), "flags", f.first, func(l attr.Listed) int64 { return int64(l.Flags()) })
	b = append(b, '}')
	for way, name := range ways {
		s := &f.sides[way]
		b = appendStatsJSON(append(append(b, `,"`+name...), `SizeStats":`...), &s.sizes)
		b = appendStatsJSON(append(append(b, `,"`+name...), `GapStats":`...), &s.gaps)
		b = appendCountsJSON(append(append(b, `,"`+name...), `PacketSize":`...), &s.sizeCounts)
		b = appendCountsJSON(append(append(b, `,"`+name...), `InterarrivalTime":`...), &s.gapCounts)
		b = appendFlagsJSON(append(append(b, `,"`+name...), `TCPFlags":`...), &s.flags)
	}
	if r.Why == End {
		b = append(append(append(b, `,"EndReason":"`...), feed.ReasonName(r.Reason)...), '"')
	}
	return append(b, "}\n"...)
}

func appendString(b []byte, s string) []byte {
	text, _ := json.Marshal(s) // a string
	return append(b, text...)
}

// appendKeyJSON appends what the flow saves: addresses as text, with the length of their
// prefix if they have one, all else as numbers.
func appendKeyJSON(b []byte, i *identity) []byte {
	for _, v := range i.flow.Shape.Saved {
		a := v.Attr
		b = append(append(append(b, `,"`...), a.String()...), `":`...)
		if a.IsPeer() || a.IsAdjacent() {
			b = appendString(b, i.text(a))
		} else {
			b = strconv.AppendUint(b, numberIn(i.flow.Value(a)), 10)
		}
	}
	return b
}

func appendList(b []byte, name string, list []attr.Listed, of func(attr.Listed) int64) []byte {
	b = append(append(append(b, '"'), name...), `":[`...)
	for i, l := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, of(l), 10)
	}
	return append(b, ']')
}

func appendStatsJSON(b []byte, s *stats) []byte {
	b = strconv.AppendUint(append(b, `{"n":`...), s[attr.StatCount], 10)
	b = strconv.AppendUint(append(b, `,"sum":`...), s[attr.StatSum], 10)
	b = attr.AppendSumOfSquares(append(b, `,"ssq":`...), s[:])
	if s[attr.StatCount] > 0 {
		b = strconv.AppendUint(append(b, `,"min":`...), s[attr.StatMin], 10)
		b = strconv.AppendUint(append(b, `,"max":`...), s[attr.StatMax], 10)
	}
	if mean, ok := attr.Mean(s[:]); ok {
		b = strconv.AppendFloat(append(b, `,"mean":`...), mean, 'g', -1, 64)
	}
	if deviation, ok := attr.Deviation(s[:]); ok {
		b = strconv.AppendFloat(append(b, `,"sd":`...), deviation, 'g', -1, 64)
	}
	return append(b, '}')
}

func appendCountsJSON(b []byte, counts *[buckets]uint32) []byte {
	b = append(b, `{"counters":[`...)
	for i, n := range counts {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(n), 10)
	}
	return append(b, "]}"...)
}

func appendFlagsJSON(b []byte, counts *[len(attr.FlagNames)]uint32) []byte {
	seen := uint8(0)
	for i, n := range counts {
		if n > 0 {
			seen |= 1 << i
		}
	}
	b = append(append(append(b, `{"seen":"`...), attr.FlagWords(seen)...), '"')
	for i, n := range counts {
		b = append(append(append(b, `,"`...), strings.ToLower(attr.FlagNames[i])...), `":`...)
		b = strconv.AppendUint(b, uint64(n), 10)
	}
	return append(b, '}')
}
