package acceptance

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rtfm/ruleset/attr"
)

// statisticRules save all statistics of flows between two addresses, and ports
// of those that have them.
const statisticRules = `
if SourcePeerType == (ipv4, ipv6) {
	save SourcePeerType;     save DestPeerType;
	save SourcePeerAddress;  save DestPeerAddress;
	save SourceTransType;    save DestTransType;
	save ToSizeStats;        save FromSizeStats;
	save ToGapStats;         save FromGapStats;
	save ToHopLimitRange;    save FromHopLimitRange;
	save ToIPIDRange;        save FromIPIDRange;
	save ToPayloadStats;     save FromPayloadStats;
	save ToWindowStats;      save FromWindowStats;
	save ToTCPFlags;         save FromTCPFlags;
	save ToZeroWindows;      save FromZeroWindows;
	save ToResets;           save FromResets;
	save ToRetransmittedPDUs;   save FromRetransmittedPDUs;
	save ToRetransmittedOctets; save FromRetransmittedOctets;
	save ToOutOfOrderPDUs;      save FromOutOfOrderPDUs;
	save ToSequenceGaps;        save FromSequenceGaps;
	save ToMissingOctets;       save FromMissingOctets;
	save FirstPackets = 30;  save FirstPayloads = 30;
	if SourceTransType == (tcp, udp, 136) save, {
		save SourceTransAddress; save DestTransAddress;
		count;
	}
	count;
}
ignore;
`

// texts returns the statistics of a flow by their attributes, each as text.
func (f *wantFlow) texts() map[string]string {
	m := map[string]string{}
	for i, direction := range []string{"To", "From"} {
		s := &f.sides[i]
		m[direction+"SizeStats"] = s.size.String()
		m[direction+"GapStats"] = s.gap.String()
		m[direction+"PayloadStats"] = s.payload.String()
		m[direction+"WindowStats"] = s.window.String()
		m[direction+"HopLimitRange"] = s.hops.rangeText()
		m[direction+"IPIDRange"] = s.ids.rangeText()
		m[direction+"TCPFlags"] = fmt.Sprint(s.seen, s.flags)
		q := &s.sequences
		for name, n := range map[string]uint64{
			"ZeroWindows": s.zeroWindows, "Resets": s.resets,
			"RetransmittedPDUs": q.retransmittedPDUs, "RetransmittedOctets": q.retransmittedOctets,
			"OutOfOrderPDUs": q.outOfOrder, "SequenceGaps": q.gaps, "MissingOctets": q.missing,
		} {
			m[direction+name] = fmt.Sprint(n)
		}
	}
	m["FirstPackets"] = fmt.Sprint(f.first)
	m["FirstPayloads"] = fmt.Sprint(f.firstP)
	return m
}

// rangeText is n:min:max.
func (s *wantStats) rangeText() string { return fmt.Sprintf("%v:%d:%d", &s.n, s.min, s.max) }

// statisticTexts are the statistics that are compared.
var statisticTexts = slices.Sorted(maps.Keys(new(wantFlow).texts()))

// readStatistics reads the statistics of flows among JSON lines, by the flows'
// names, each as wantFlow.texts has it.
func readStatistics(lines string) (map[string]map[string]string, error) {
	flows := map[string]map[string]string{}
	for line := range strings.Lines(lines) {
		fields := map[string]json.RawMessage{}
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			return nil, err
		}
		if string(fields["record"]) != `"flow"` {
			continue
		}
		var key jsonFlow
		if err := json.Unmarshal([]byte(line), &key); err != nil {
			return nil, err
		}
		f, err := key.flow()
		if err != nil {
			return nil, err
		}
		m := map[string]string{}
		for _, name := range statisticTexts {
			if m[name], err = statisticText(name, fields[name]); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", name, fields[name], err)
			}
		}
		name := flowName(f.protocol, f.source, f.dest)
		if flows[name] != nil {
			return nil, fmt.Errorf("two flows are %s", name)
		}
		flows[name] = m
	}
	return flows, nil
}

// statisticText returns the JSON of a statistic in the form of wantFlow.texts.
func statisticText(name string, from json.RawMessage) (string, error) {
	a, _ := attr.ByName(name)
	switch a.Form() {
	case attr.FormCount:
		var n json.Number
		err := json.Unmarshal(from, &n)
		return n.String(), err
	case attr.FormPackets:
		var lists struct {
			Octets, Gaps []uint64
			Directions   []int
			Flags        []uint16
		}
		if err := json.Unmarshal(from, &lists); err != nil {
			return "", err
		}
		var packets []wantListed
		for i, octets := range lists.Octets {
			packets = append(packets, wantListed{octets, lists.Directions[i], lists.Gaps[i], uint8(lists.Flags[i])})
		}
		return fmt.Sprint(packets), nil
	case attr.FormFlags:
		var v struct {
			Seen                                   string
			FIN, SYN, RST, PSH, ACK, URG, ECE, CWR uint64
		}
		if err := json.Unmarshal(from, &v); err != nil {
			return "", err
		}
		seen := 0
		for _, flag := range strings.Fields(v.Seen) {
			seen |= 1 << slices.Index(attr.FlagNames[:], flag)
		}
		return fmt.Sprint(seen, []uint64{v.FIN, v.SYN, v.RST, v.PSH, v.ACK, v.URG, v.ECE, v.CWR}), nil
	}
	v := struct{ N, Sum, Ssq, Min, Max json.Number }{Min: "0", Max: "0"}
	if err := json.Unmarshal(from, &v); err != nil {
		return "", err
	}
	if a.Form() == attr.FormRange {
		return fmt.Sprintf("%s:%s:%s", v.N, v.Min, v.Max), nil
	}
	return fmt.Sprintf("%s:%s:%s:%s:%s", v.N, v.Sum, v.Ssq, v.Min, v.Max), nil
}
