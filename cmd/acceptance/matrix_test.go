package acceptance

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestMatrix gets, gets next, sets and fails to set every object of both MIBs,
// by net-snmp's tools, through the meter's own front end and through snmpd. What
// the modules' texts define and what the table below expects must be the same
// objects with the same access.
func TestMatrix(t *testing.T) {
	t.Parallel()
	defined := readModules(t)
	var rows []matrixRow
	for line := range strings.Lines(matrix) {
		rows = append(rows, parseMatrixRow(t, line, defined))
	}
	for name, o := range defined {
		i := slices.IndexFunc(rows, func(r matrixRow) bool { return r.name == name })
		switch o.access {
		case "read-only", "read-write", "read-create":
			if i < 0 {
				t.Errorf("%s is not in the table", name)
			} else if writable := o.access != "read-only"; writable != (rows[i].set != nil) {
				t.Errorf("%s is %s", name, o.access)
			}
		case "not-accessible":
			if i >= 0 {
				t.Errorf("%s is not accessible", name)
			}
		}
	}
	if t.Failed() {
		return
	}
	for _, name := range []string{"embedded", "snmpd"} {
		t.Run(name, func(t *testing.T) {
			m := newMaster(t)
			f := startMeter(t, m, "-C", "traces/testdata/sample.pcap", "-T", "60", "--series-interval", "60", "--feed", "udp://127.0.0.1:9").frontEnd
			if name == "snmpd" {
				f = m.frontEnd
			}
			f.must("snmpset", matrixSetup(defined)...)
			f.waitFor(defined["rtfmTraceState"].oid+".0", "INTEGER: 4")
			testMatrix(t, f, rows, defined)
		})
	}
}

// matrix is the table of TestMatrix. Each line has an object; its instance's
// index; what it shows, "..." for what differs from run to run; and if it can be
// set, to what, and what else is refused for its value. Types are those of
// snmpset: i, s, x, t. Where another is given, wrongType is wanted of each.
//
// The first interval of the trace has been metered by the built-in ruleset;
// ruleset 2 is complete and not in service; reader 7 and task 3 are active at
// first and set to notInService, so that the rest of them can be set. Ruleset 4 puts all
// packets in one flow, which has a FlowID.
const matrix = `flowRuleInfoSize 2 | INTEGER: 2 | i 2 | i -1 wrongValue | i 65536 resourceUnavailable
flowRuleInfoOwner 2 | STRING: "me" | s you | x ff wrongValue
flowRuleInfoTimeStamp 2 | Timeticks: ...
flowRuleInfoStatus 2 | INTEGER: 2 | i 2 | i 0 wrongValue | i 3 wrongValue | i 4 inconsistentValue | i 7 wrongValue
flowRuleInfoName 2 | STRING: "two" | s deux
flowRuleInfoRulesReady 2 | INTEGER: 2 | i 2 | i 0 wrongValue | i 3 wrongValue
flowRuleInfoFlowRecords 1 | INTEGER: 3
flowInterfaceSampleRate 1 | INTEGER: 1 | i 1 | i -1 wrongValue
flowInterfaceLostPackets 1 | Counter32: 0
flowReaderStatus 7 | INTEGER: 1 | i 2 | i 0 wrongValue | i 3 wrongValue | i 5 inconsistentValue
flowReaderTimeout 7 | INTEGER: 0 | i 60 | i -1 wrongValue
flowReaderOwner 7 | STRING: "me" | s you | x c0 wrongValue
flowReaderLastTime 7 | Timeticks: ... | t 0
flowReaderPreviousTime 7 | Timeticks: ...
flowReaderRuleSet 7 | INTEGER: 1 | i 2 | i 0 wrongValue | i 99 inconsistentValue
flowManagerStatus 3 | INTEGER: 1 | i 2 | i 0 wrongValue | i 4 inconsistentValue
flowManagerCurrentRuleSet 3 | INTEGER: 1 | i 0 | i -1 wrongValue | i 2 inconsistentValue | i 99 inconsistentValue
flowManagerStandbyRuleSet 3 | INTEGER: 0 | i 1 | i -1 wrongValue | i 2 inconsistentValue
flowManagerHighWaterMark 3 | INTEGER: 0 | i 90 | i 101 wrongValue
flowManagerCounterWrap 3 | INTEGER: 1 | i 2 | i 3 wrongValue
flowManagerOwner 3 | STRING: "me" | s you | x ff wrongValue
flowManagerTimeStamp 3 | Timeticks: ...
flowManagerRunningStandby 3 | INTEGER: 2 | i 1 | i 0 wrongValue
flowFloodMark 0 | INTEGER: 95 | i 95 | i -1 wrongValue | i 101 wrongValue
flowInactivityTimeout 0 | INTEGER: 600 | i 600 | i -1 wrongValue
flowActiveFlows 0 | INTEGER: 4
flowMaxFlows 0 | INTEGER: 1000000
flowFloodMode 0 | INTEGER: 2 | i 2 | i 0 wrongValue
flowDataStatus 1.0.1 | INTEGER: 2
flowDataSourceInterface 1.0.1 | INTEGER: 0
flowDataSourceAdjacentType 1.0.1 | INTEGER: 0
flowDataSourceAdjacentAddress 1.0.1 | ""
flowDataSourceAdjacentMask 1.0.1 | ""
flowDataSourcePeerType 1.0.1 | INTEGER: 2
flowDataSourcePeerAddress 1.0.1 | ""
flowDataSourcePeerMask 1.0.1 | ""
flowDataSourceTransType 1.0.1 | INTEGER: 0
flowDataSourceTransAddress 1.0.1 | Hex-STRING: 00 00
flowDataSourceTransMask 1.0.1 | Hex-STRING: 00 00
flowDataDestInterface 1.0.1 | INTEGER: 0
flowDataDestAdjacentType 1.0.1 | INTEGER: 0
flowDataDestAdjacentAddress 1.0.1 | ""
flowDataDestAdjacentMask 1.0.1 | ""
flowDataDestPeerType 1.0.1 | INTEGER: 2
flowDataDestPeerAddress 1.0.1 | ""
flowDataDestPeerMask 1.0.1 | ""
flowDataDestTransType 1.0.1 | INTEGER: 0
flowDataDestTransAddress 1.0.1 | Hex-STRING: 00 00
flowDataDestTransMask 1.0.1 | Hex-STRING: 00 00
flowDataPDUScale 1.0.1 | INTEGER: 0
flowDataOctetScale 1.0.1 | INTEGER: 0
flowDataToOctets 1.0.1 | Counter64: 50342
flowDataToPDUs 1.0.1 | Counter64: 147
flowDataFromOctets 1.0.1 | Counter64: 0
flowDataFromPDUs 1.0.1 | Counter64: 0
flowDataFirstTime 1.0.2 | Timeticks: (344) 0:00:03.44
flowDataLastActiveTime 1.0.1 | Timeticks: (5704) 0:00:57.04
flowDataSourceSubscriberID 1.0.1 | Hex-STRING: 00 00 00 00
flowDataDestSubscriberID 1.0.1 | Hex-STRING: 00 00 00 00
flowDataSessionID 1.0.1 | Hex-STRING: 00 00 00 00
flowDataSourceClass 1.0.1 | INTEGER: 0
flowDataDestClass 1.0.1 | INTEGER: 0
flowDataClass 1.0.1 | INTEGER: 0
flowDataSourceKind 1.0.1 | INTEGER: 0
flowDataDestKind 1.0.1 | INTEGER: 0
flowDataKind 1.0.1 | INTEGER: 0
flowColumnActivityAttribute 8.0.1 | INTEGER: 8
flowColumnActivityTime 8.0.1 | Timeticks: (5704) 0:00:57.04
flowColumnActivityIndex 8.0.1 | INTEGER: 1
flowColumnActivityData 8.0.1 | Hex-STRING: 00 00 00 01 02 00 00 00 02 00 00 00 00 03 01 00 00 04 01 00 00 00 00 00
flowPackageData 3.1.8.28.1.0.1 | Hex-STRING: 30 0A 02 01 01 02 01 02 46 02 00 93
flowRuleSelector 2.1 | INTEGER: 8 | i 0 | i 1 wrongValue | i -1 wrongValue | i 65536 wrongValue
flowRuleMask 2.1 | Hex-STRING: FF | x 0f | x 000102030405060708090a0b0c0d0e0f1011121314 wrongLength
flowRuleMatchedValue 2.1 | Hex-STRING: 01 | x 02 | x 000102030405060708090a0b0c0d0e0f1011121314 wrongLength
flowRuleAction 2.1 | INTEGER: 12 | i 12 | i 0 wrongValue | i 18 wrongValue
flowRuleParameter 2.1 | INTEGER: 2 | i 1 | i -1 wrongValue | i 65536 wrongValue
rtfmMeterVersion 0 | STRING: "rtfm ..."
rtfmMeterBoot 0 | ...
rtfmMeterUptime 0 | Timeticks: (6000) 0:01:00.00
rtfmMeterStart 0 | Counter64: 1795252405227917000
rtfmMeterMemory 0 | Counter64: ...
rtfmMeterFlowsCreated 0 | Counter64: 4
rtfmMeterFlowsRecovered 0 | Counter64: 0
rtfmMeterNow 0 | Counter64: 1795252465227917000
rtfmMeterEnding 0 | INTEGER: 2
rtfmMeterFloods 0 | Counter64: 0
rtfmMeterStartDate 0 | Hex-STRING: 07 EA 0B 15 09 0D 19 02 2B 00 00
rtfmMeterStartExact 0 | Hex-STRING: 18 EA 04 8D 07 C6 8E C8
rtfmMeterNowDate 0 | Hex-STRING: 07 EA 0B 15 09 0E 19 02 2B 00 00
rtfmMeterNowExact 0 | Hex-STRING: 18 EA 04 9B 00 0D E6 C8
rtfmMeterMemoryUsed 0 | Gauge32: ...
rtfmPacketsMetered 0 | Counter64: 453
rtfmPacketsOctets 0 | Counter64: 133080
rtfmPacketsCut 0 | Counter64: 0
rtfmPacketsMalformed 0 | Counter64: 0
rtfmPacketsUnknownLink 0 | Counter64: 0
rtfmPacketsBackInTime 0 | Counter64: 0
rtfmPacketsLost 0 | Counter64: 0
rtfmPacketsDuplicates 0 | Counter64: 0
rtfmPacketsSampledOut 0 | Counter64: 0
rtfmPacketsOutliers 0 | Counter64: 0
rtfmPacketsClamped 0 | Counter64: 0
rtfmPacketsFiltered 0 | Counter64: 0
rtfmPacketsDecapsulated 0 | Counter64: 0
rtfmPacketsEnvelopeFragments 0 | Counter64: 0
rtfmPacketsEnvelopesCut 0 | Counter64: 0
rtfmPacketsEnvelopesUnknown 0 | Counter64: 0
rtfmPacketsDuplicatesRouted 0 | Counter64: 0
rtfmStreamsActive 0 | Gauge32: 0
rtfmStreamsCreated 0 | Counter64: 0
rtfmStreamsEnded 0 | Counter64: 0
rtfmStreamsUnstreamed 0 | Counter64: 0
rtfmRuleSetMatched 1 | Counter64: 453
rtfmRuleSetIgnored 1 | Counter64: 0
rtfmRuleSetUnmatched 1 | Counter64: 0
rtfmRuleSetStopped 1 | Counter64: 0
rtfmRuleSetUncounted 1 | Counter64: 0
rtfmRuleSetPackets 1 | Counter64: 453
rtfmInterfacePackets 1 | Counter64: ...
rtfmInterfaceLost 1 | Counter64: 0
rtfmInterfaceName 1 | ""
rtfmTraceCollections 0 | Counter64: 1
rtfmTraceFrom 0 | Timeticks: (0) 0:00:00.00
rtfmTraceTo 0 | Timeticks: (6000) 0:01:00.00
rtfmTraceToTime 0 | Counter64: 1795252465227917000
rtfmTraceToDate 0 | Hex-STRING: 07 EA 0B 15 09 0E 19 02 2B 00 00
rtfmTraceToExact 0 | Hex-STRING: 18 EA 04 9B 00 0D E6 C8
rtfmTracePassedOver 0 | Counter64: 0
rtfmBlockData 4.0.1.0.28.1.0.0.3 | Hex-STRING: 00 03 00 00 00 01 00 00 00 00 00 00 00 93 00 00 00 02 00 00 00 00 00 00 00 0A 00 00 00 03 00 00 00 00 00 00 01 28
rtfmSeriesFrom 1.1.0 | Hex-STRING: 18 EA 04 87 28 13 18 00
rtfmSeriesTo 1.1.0 | Hex-STRING: 18 EA 04 95 20 5A 70 00
rtfmSeriesPDUs 1.1.0 | Counter64: 289
rtfmSeriesOctets 1.1.0 | Counter64: 90240
rtfmSeriesIgnored 1.1.0 | Counter64: 0
rtfmSeriesUnmatched 1.1.0 | Counter64: 0
rtfmSeriesStopped 1.1.0 | Counter64: 0
rtfmSeriesUncounted 1.1.0 | Counter64: 0
rtfmSeriesActiveFlows 1.1.0 | Gauge32: 3
rtfmSeriesNewFlows 1.1.0 | Gauge32: 3
rtfmSeriesFlows 1.1.0 | Gauge32: 3
rtfmSeriesFiltered 1.0.1 | Counter64: 0
rtfmSeriesLost 1.0.1 | Counter64: 0
rtfmFlowIdIndex 20.137.249.35.196.220.167.41.4 | INTEGER: 1025
rtfmFlowIdFirstTime 20.137.249.35.196.220.167.41.4 | Timeticks: (0) 0:00:00.00
rtfmFeedURL 0 | STRING: "udp://127.0.0.1:9" | s udp://127.0.0.1:10 | s file:/x wrongValue | s unix:/x wrongValue | s nowhere wrongValue
rtfmFeedDomain 0 | Gauge32: 0 | u 7
rtfmFeedIdBits 0 | INTEGER: 64 | i 32 | i 48 wrongValue
rtfmFeedMTU 0 | INTEGER: 1500 | i 9000 | i 1279 wrongValue | i 65536 wrongValue
rtfmFeedDelay 0 | INTEGER: 20 | i 100 | i -1 wrongValue | i 60001 wrongValue
rtfmFeedIdle 0 | INTEGER: 60 | i 30 | i 0 wrongValue
rtfmFeedQueue 0 | INTEGER: 65536 | i 1024 | i 1023 wrongValue | i 2097152 wrongValue
rtfmFeedFirst 0 | Gauge32: 0 | u 30
rtfmFeedRules 0 | "" | s two
rtfmFeedDigest 0 | INTEGER: 2 | i 1 | i 3 wrongValue
rtfmFeedState 0 | INTEGER: ...
rtfmFeedError 0 | ...
rtfmFeedOpened 0 | Hex-STRING: ...
rtfmFeedMessages 0 | Counter64: ...
rtfmFeedRecords 0 | Counter64: ...
rtfmFeedDroppedMessages 0 | Counter64: ...
rtfmFeedDroppedRecords 0 | Counter64: ...
rtfmFeedFlows 0 | Gauge32: ...
rtfmFeedFlowRuleSet 20.137.249.35.196.220.167.41 | INTEGER: 4
rtfmFeedFlowIndex 20.137.249.35.196.220.167.41 | INTEGER: 1025
rtfmFeedFlowFirstTime 20.137.249.35.196.220.167.41 | Timeticks: (0) 0:00:00.00
rtfmTraceCollected 0 | Gauge32: 0 | u 0 | u 2 inconsistentValue
rtfmTraceState 0 | INTEGER: 4 | i 3 | i 4 wrongValue
`

// matrixSetup returns the variables of a Set that makes the rows of the matrix.
func matrixSetup(defined map[string]mibObject) (args []string) {
	for v := range strings.Lines(`flowRuleInfoStatus.2 i 5
flowRuleInfoSize.2 i 2
flowRuleInfoOwner.2 s me
flowRuleInfoName.2 s two
flowRuleSelector.2.1 i 8
flowRuleMask.2.1 x ff
flowRuleMatchedValue.2.1 x 01
flowRuleAction.2.1 i 12
flowRuleParameter.2.1 i 2
flowRuleAction.2.2 i 3
flowReaderStatus.7 i 4
flowReaderOwner.7 s me
flowReaderRuleSet.7 i 1
flowManagerStatus.3 i 4
flowManagerOwner.3 s me
flowManagerCurrentRuleSet.3 i 1
flowRuleInfoStatus.4 i 4
flowRuleInfoSize.4 i 2
flowRuleAction.4.1 i 13
flowRuleParameter.4.1 i 2
flowRuleSelector.4.2 i 1050
flowRuleMask.4.2 x 000000000000
flowRuleMatchedValue.4.2 x 000000000000
flowRuleAction.4.2 i 4
flowManagerStatus.4 i 4
flowManagerCurrentRuleSet.4 i 4
`) {
		words := strings.Fields(v)
		name, index, _ := strings.Cut(words[0], ".")
		args = append(args, defined[name].oid+"."+index, words[1], words[2])
	}
	return args
}

// get asks for values with one of net-snmp's tools, which take 128 names at a time.
func (f *frontEnd) get(tool string, names []string) (lines []string) {
	for part := range slices.Chunk(names, 100) {
		lines = append(lines, f.must(tool, part...)...)
	}
	return lines
}

// testMatrix runs the matrix through a front end.
func testMatrix(t *testing.T, f *frontEnd, rows []matrixRow, defined map[string]mibObject) {
	var names, before []string
	for _, r := range rows {
		names = append(names, r.oid)
		before = append(before, previous(r.oid))
	}
	checkLines := func(what string, got []string) {
		t.Helper()
		if len(got) != len(rows) {
			t.Fatalf("%s: %d variables, want %d\n%s", what, len(got), len(rows), strings.Join(got, "\n"))
		}
		for i, r := range rows {
			if !looksLike(got[i]+"\n", r.oid+" = "+r.shows+"\n") {
				t.Errorf("%s: %s: %s\nwant %s", what, r.name, got[i], r.shows)
			}
		}
	}
	checkLines("get", f.get("snmpget", names))
	checkLines("next", f.get("snmpgetnext", before))

	var hidden []string
	for _, name := range slices.Sorted(maps.Keys(defined)) {
		if defined[name].access == "not-accessible" {
			hidden = append(hidden, defined[name].oid+".1")
		}
	}
	for _, line := range f.must("snmpget", hidden...) {
		if !strings.HasSuffix(line, "No Such Object available on this agent at this OID") && !strings.HasSuffix(line, "No Such Instance currently exists at this OID") {
			t.Errorf("not accessible, but %s", line)
		}
	}

	// What is refused comes behind what could be set, which must stay as it is.
	flood := defined["flowFloodMark"].oid + ".0"
	refused := func(r matrixRow, oid, typ, value, reason string) {
		t.Helper()
		out, err := f.run("snmpset", flood, "i", "50", oid, typ, value)
		said := strings.Join(out, "\n")
		if err == nil || !strings.Contains(said, "Reason: "+reason) || !strings.HasSuffix(said, "\nFailed object: "+oid) {
			t.Errorf("%s: set to %s %s: %v\n%s\nwant %s", r.name, typ, value, err, said, reason)
		}
	}
	for _, r := range rows {
		if r.set == nil {
			refused(r, r.oid, "i", "1", "notWritable")
			continue
		}
		for typ, value := range map[string]string{"i": "1", "s": "x", "t": "1"} {
			if is := r.set[0]; typ != is && (typ != "s" || is != "x") {
				refused(r, r.oid, typ, value, "wrongType")
			}
		}
		refused(r, r.oid+".1", r.set[0], r.set[1], "noCreation")
		for _, bad := range r.refused {
			refused(r, r.oid, bad[0], bad[1], bad[2])
		}
	}
	checkLines("get after what was refused", f.get("snmpget", names))

	var args, set []string
	var want []string
	for _, r := range rows {
		if r.set == nil {
			continue
		}
		args = append(args, r.oid)
		f.must("snmpset", r.oid, r.set[0], r.set[1])
		switch {
		case r.name == "flowReaderLastTime":
			want = append(want, r.oid+" = Timeticks: ...") // the Uptime, whatever is set
		case r.name == "rtfmTraceState":
			want = append(want, r.oid+" = INTEGER: ...") // the next interval ends soon
		case r.name == "rtfmTraceCollected":
			want = append(want, r.oid+" = Gauge32: ...") // so does what is set to rtfmTraceState
		case r.set[0] == "s":
			want = append(want, r.oid+" = STRING: "+strconv.Quote(r.set[1]))
		case r.set[0] == "u":
			want = append(want, r.oid+" = Gauge32: "+r.set[1])
		case r.set[0] == "x":
			want = append(want, r.oid+" = Hex-STRING: "+strings.ToUpper(r.set[1]))
		default:
			want = append(want, r.oid+" = INTEGER: "+r.set[1])
		}
	}
	set = f.must("snmpget", args...)
	for i, line := range set {
		if i >= len(want) || !looksLike(strings.TrimSpace(line)+"\n", want[i]+"\n") {
			t.Errorf("after all was set: %s, want %s", line, want[i])
		}
	}
}

// previous returns a name that comes right before that of a variable: with the
// last sub-identifier one less, or away.
func previous(oid string) string {
	i := strings.LastIndexByte(oid, '.')
	n, err := strconv.Atoi(oid[i+1:])
	if err != nil || n <= 1 || strings.Count(oid, ".") > 15 {
		return oid[:i]
	}
	return oid[:i+1] + strconv.Itoa(n-1)
}

// matrixRow is a line of the matrix.
type matrixRow struct {
	name, oid string
	shows     string
	set       []string   // type and value; nil for what cannot be set
	refused   [][]string // type, value and reason
}

func parseMatrixRow(t *testing.T, line string, defined map[string]mibObject) (r matrixRow) {
	t.Helper()
	parts := strings.Split(strings.TrimRight(line, "\n"), " | ")
	name, index, _ := strings.Cut(parts[0], " ")
	r = matrixRow{name: name, oid: defined[name].oid + "." + index, shows: parts[1]}
	if strings.Contains(r.shows, "Hex-STRING") {
		r.shows += " "
	}
	for i, p := range parts[2:] {
		if words := strings.Fields(p); i == 0 {
			r.set = words
		} else {
			r.refused = append(r.refused, words)
		}
	}
	return r
}

// mibObject is what a module's text says of a name.
type mibObject struct {
	oid    string // with a dot before it, as net-snmp prints it
	access string // MAX-ACCESS, "" for what is no object
}

// readModules reads the objects of our MIB modules.
func readModules(t *testing.T) map[string]mibObject {
	t.Helper()
	definition := regexp.MustCompile(`(?ms)^(\w+) +(?:MODULE-IDENTITY|OBJECT-TYPE|OBJECT IDENTIFIER)\b(.*?)::= *\{ *(\S+)((?: +\d+)+) *\}`)
	access := regexp.MustCompile(`MAX-ACCESS +(\S+)`)
	objects := map[string]mibObject{"mib-2": {oid: ".1.3.6.1.2.1"}, "enterprises": {oid: ".1.3.6.1.4.1"}}
	var found [][]string
	for _, path := range []string{"mib/FLOW-METER-MIB.txt", "mib/RTFM-EXTENSION-MIB.txt"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, definition.FindAllStringSubmatch(string(text), -1)...)
	}
	for len(found) > 0 {
		left := len(found)
		found = slices.DeleteFunc(found, func(m []string) bool {
			parent, ok := objects[m[3]]
			if ok {
				a := access.FindStringSubmatch(m[2])
				objects[m[1]] = mibObject{parent.oid + strings.ReplaceAll(m[4], " ", "."), second(a)}
			}
			return ok
		})
		if len(found) == left {
			t.Fatalf("%s stands below %s, which nobody defines", found[0][1], found[0][3])
		}
	}
	return objects
}

// second returns the second of s, if it has one.
func second(s []string) string {
	if len(s) < 2 {
		return ""
	}
	return s[1]
}
