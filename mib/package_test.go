package mib

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rtfm/mib/block"
	"rtfm/mib/module"
	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
	"rtfm/ruleset/match"
)

// TestPackage reads packages and compares them with BER written by hand.
func TestPackage(t *testing.T) {
	h := New(flowMeter())
	const data = root + "2.3.1.5."
	for _, c := range []struct{ index, want string }{
		// The numbers of RFC 2720's own example: 11, 18 and 29.
		{"3.11.18.29.2.0.1", "30 09 020100 020101 46017f"},
		{"5.27.28.29.30.1.2.0.3", "30 1d 4606010000000000 460200c8 46017f 4609008000000000000000 020103"},
		{"6.9.10.12.13.22.35.2.0.3", "30 1e 04040a010200 0404ffffff00 04020000 04020000 04020035 040461626300"},
		{"4.31.32.3.2.3.0.2", "30 0e 430164 43020384 43020384 020102"},
		// Private attributes: 1024 + n as 192 + n. Of VLAN tags 12 bits count.
		{"3.192.193.26.3.0.2", "30 0a 02020123 020101 020103"},
		{"1.66.3.0.2", "30 02 0400"},
		// Of more octets than one octet tells, and of more than two tell.
		{"12" + strings.Repeat(".30", 12) + ".2.0.1", "30 8184" + strings.Repeat(" 4609008000000000000000", 12)},
		{"25" + strings.Repeat(".30", 25) + ".2.0.1", "30 820113" + strings.Repeat(" 4609008000000000000000", 25)},
	} {
		want, err := hex.DecodeString(strings.ReplaceAll(c.want, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		vb := smitest.Octets(data+c.index, smi.OctetString, string(want))
		if got := get(t, h, vb.Name); !got.Equal(&vb) {
			t.Errorf("have %v %x\nwant %x", &got, got.Value.Octets, want)
		}
	}
	for _, index := range []string{
		"0.2.0.1", "1.2.0.1", "1.0.2.0.1", "1.50.2.0.1", "2.28.2.0.1", "1.42.2.0.1", "1.255.2.0.1", "1.28.2.0.2",
		"1.1024.2.0.1", "1.256.2.0.1", "1.28.2.501.1", "4294967295.1", "",
	} {
		name := below(oid("flowPackageData"), oidOrNone(index)...)
		if got := get(t, h, name); got.Value.Type != smi.NoSuchInstance {
			t.Errorf("%s: %v", index, &got)
		}
	}
}

func oidOrNone(s string) smi.OID {
	if s == "" {
		return nil
	}
	return oid(s)
}

// TestChosenWalk walks the tables that answer only to a choice of attributes.
func TestChosenWalk(t *testing.T) {
	h := New(flowMeter())
	for _, c := range []struct {
		column, choice string
		want           []string // what of the index follows the choice
	}{
		{"flowPackageData", "2.28.192", []string{"2.0.1", "2.0.3", "2.0.4", "2.0.7", "3.0.2", "3.0.5"}},
		{"flowPackageData", "2.28.192.2.1000", []string{".3", ".7"}},
		{"flowPackageData", "0", nil},
		{"flowPackageData", "1.0", nil},
		{"flowColumnActivityData", "28", []string{"0.1", "0.2", "0.3", "0.4", "0.5", "0.7"}},
		{"flowColumnActivityIndex", "28.900", []string{".2", ".3", ".7"}},
		{"flowColumnActivityTime", "28.0.5", []string{}},
		{"flowColumnActivityAttribute", "42", nil},
		{module.RtfmBlockData.OID.String(), "2.0.28", []string{"2.0.0.7", "3.0.0.5"}},
		{module.RtfmBlockData.OID.String(), "2.0.28.2.700.3", []string{".7"}},
	} {
		at := oid(c.column + "." + c.choice)
		var got []string
		for _, vb := range walk(t, h, at, at) {
			rest := "." + vb.Name[len(at):].String()
			if len(c.want) > 0 && c.want[0][0] != '.' {
				rest = rest[1:]
			}
			got = append(got, rest)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s.%s: have %v, want %v", c.column, c.choice, got, c.want)
		}
	}
	// Behind the last there is nothing of another choice.
	if got := next(t, h, oid("flowPackageData.1.28.3.0.5")); got.Name.String() != root+"3.1.1.3.1.1" {
		t.Errorf("behind the last package: %v", &got)
	}
}

// TestColumnActivity reads all of a column, as RFC 2720 encodes it.
func TestColumnActivity(t *testing.T) {
	h := New(flowMeter())
	for _, c := range []struct{ index, want string }{
		{"36.1000.3", "00000003 00 00000007 00 00000000"},
		{"39.1000.7", "00000007 07 00000000"},
		{"9.2000.7", "00000007 03 0a0102 00000000"}, // zeros at the end left out
		{"10.2000.7", "00000007 03 ffffff 00000000"},
		{"4.2000.7", "00000007 0000 00000000"},
		{"28.2000.7", "00000007 00000000000000c8 00000000"},
		{"32.2000.7", "00000007 000007d0 00000000"},
		{"26.900.2", "00000002 03 00000003 02 00000007 02 00000000"},
	} {
		want := smitest.Octets(root+"2.2.1.4."+c.index, smi.OctetString, string(unhex(t, c.want)))
		if got := get(t, h, want.Name); !got.Equal(&want) {
			t.Errorf("%s: have %x, want %s", c.index, got.Value.Octets, c.want)
		}
	}
	for _, want := range []smi.VarBind{
		smitest.Int(root+"2.2.1.1.28.0.5", 28), smitest.Uint(root+"2.2.1.2.28.0.5", smi.TimeTicks, 600), smitest.Int(root+"2.2.1.3.28.0.5", 5),
	} {
		if got := get(t, h, want.Name); !got.Equal(&want) {
			t.Errorf("have %v, want %v", &got, &want)
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestActivityFills reads a column that takes several variables.
func TestActivityFills(t *testing.T) {
	m := newFakeMeter()
	m.putRuleSet(2)
	for i := range uint32(500) {
		m.add(2, i+1, 10)
	}
	h := New(m)
	var flows []uint32
	for index := uint32(1); ; {
		got := get(t, h, below(oid("flowColumnActivityData"), 28, 0, index))
		b := got.Value.Octets
		if len(b) < 3 || len(b) > 1000 {
			t.Fatalf("%d octets of data", len(b))
		}
		for index = 0; len(b) > 4; b = b[12:] {
			index = binary.BigEndian.Uint32(b)
			flows = append(flows, index)
		}
		if len(b) == 4 {
			break
		}
		index++
	}
	for i, f := range flows {
		if f != uint32(i+1) {
			t.Fatalf("flow %d at place %d", f, i)
		}
	}
	if len(flows) != 500 {
		t.Errorf("%d flows, want 500", len(flows))
	}
	// 200 pairs of 5 octets would fit, but not with the end behind them.
	m.flows = m.flows[:200]
	got := get(t, h, oid("flowColumnActivityData.36.0.1"))
	if b := got.Value.Octets; len(b) > 1000 || len(b)%5 != 0 {
		t.Errorf("%d octets of data", len(b))
	}
}

// TestBlock reads flows by blocks and compares each value with its package.
func TestBlock(t *testing.T) {
	m := newFakeMeter()
	m.putRuleSet(2)
	for i := range uint32(1000) {
		m.add(2, i*3+1, uint64(10+i%2))
	}
	h := New(m)
	// FlowIndex, DestPeerAddress, DestTransAddress, SourcePeerMask, ToPDUs, LastActiveTime, SourceKind, VLANid
	at := module.RtfmBlockData.At(16, 0, 1, 0, 19, 0, 22, 0, 10, 0, 28, 0, 32, 0, 39, 4, 0, 2, 11)
	const record = 4 + 5 + 3 + 5 + 8 + 4 + 1 + 2
	next := uint32(2) // every second flow is active since 11
	blocks := 0
	for _, vb := range walk(t, h, at, at) {
		b := vb.Value.Octets
		n := int(binary.BigEndian.Uint16(b))
		if b = b[2:]; len(b) != n*record || len(b)+2 > block.MaxOctets {
			t.Fatalf("%d octets for %d flows", len(b), n)
		}
		blocks++
		for ; len(b) > 0; b = b[record:] {
			want := fmt.Sprintf("%08x04c0a8%04x02003504ffffff0000000000000000c80000000b070123", (next-1)*3+1, (next-1)*3+1)
			if got := hex.EncodeToString(b[:record]); got != want {
				t.Fatalf("flow %d: have %s, want %s", next, got, want)
			}
			next += 2
		}
	}
	if next != 1002 || blocks != 3 {
		t.Errorf("%d flows in %d blocks, want 500 in 3", (next-2)/2, blocks)
	}
	for _, index := range []string{"2.0.1.2.0.0.0", "2.0.1.2.0.5.5", "2.0.1.2.0.0.3", "2.0.1.2.0.0.4.0", "2.0.1.2.0.0", "2.0.1.3.0.0.4",
		"2.0.0.2.0.0.4", "0.2.0.0.4", "1.1.2.0.0.4", "3.0.1.0.2.0.0.4", "2.256.1.2.0.0.4", "2.0.257.2.0.0.4", "2.4.63.2.0.0.4"} {
		if got := get(t, h, module.RtfmBlockData.At(oid(index)...)); got.Value.Type != smi.NoSuchInstance {
			t.Errorf("%s: %v", index, &got)
		}
	}
	if got := get(t, h, module.RtfmBlockData.At(2, 0, 1, 2, 0, 1, 4)); len(got.Value.Octets) != 6 {
		t.Errorf("the flows from 2 to 4: %v", &got)
	}
}

// TestExtension reads what the extension adds.
func TestExtension(t *testing.T) {
	m := flowMeter()
	m.trace = Trace{State: TraceWaitingForReader, Collections: 4, From: m.start + 100*match.Centisecond, To: m.start + 400*match.Centisecond}
	m.control.Interfaces.Put(2, &Interface{SampleRate: 1, Packets: 10, Lost: 1<<32 + 5})
	h := New(m)
	play(t, m, h, `
		get rtfmMeterVersion.0 = s rtfm_9
		get rtfmMeterBoot.0 = h 0102030405060708
		get rtfmMeterUptime.0 = t 100000
		get rtfmMeterStart.0 = c 1000000000000000000
		get rtfmMeterMemory.0 = c 4095
		get rtfmMeterFlowsCreated.0 = c 8
		get rtfmMeterFlowsRecovered.0 = c 9
		get rtfmMeterNow.0 = c 1000001000000000000
		get rtfmMeterStartDate.0 = h 07D10909012E28002B0000
		get rtfmMeterStartExact.0 = h 0DE0B6B3A7640000
		get rtfmMeterNowDate.0 = h 07D10909020314002B0000
		get rtfmMeterNowExact.0 = h 0DE0B79C7C091000
		get rtfmMeterMemoryUsed.0 = g 3
		get rtfmPacketsMetered.0 = c 1
		get rtfmPacketsOctets.0 = c 2
		get rtfmPacketsCut.0 = c 3
		get rtfmPacketsMalformed.0 = c 4
		get rtfmPacketsUnknownLink.0 = c 5
		get rtfmPacketsBackInTime.0 = c 6
		get rtfmPacketsLost.0 = c 7
		get rtfmStreamsActive.0 = g 11
		get rtfmStreamsCreated.0 = c 1099511627788
		get rtfmStreamsEnded.0 = c 13
		get rtfmStreamsUnstreamed.0 = c 14
		get rtfmRuleSetMatched.3 = c 12884901889
		get rtfmRuleSetIgnored.3 = c 2
		get rtfmRuleSetUnmatched.3 = c 3
		get rtfmRuleSetStopped.3 = c 4
		get rtfmRuleSetUncounted.3 = c 5
		get rtfmRuleSetUncounted.4 = - -
		get rtfmInterfacePackets.2 = c 10
		get rtfmInterfaceLost.2 = c 4294967301
		get rtfmTraceState.0 = i 4
		get rtfmTraceCollections.0 = c 4
		get rtfmTraceFrom.0 = t 100
		get rtfmTraceTo.0 = t 400
		get rtfmTraceToDate.0 = h 07D10909012E2C002B0000
		get rtfmTraceToExact.0 = h 0DE0B6B495CF2800
		set rtfmTraceState.0 = i 4 ! wrongValue 1
		set rtfmTraceState.1 = i 3 ! noCreation 1
		set rtfmTraceState.0 = i 3
		set rtfmTraceCollections.0 = c 3 ! notWritable 1
	`)
	if !m.control.TraceGo || m.settled != 1 {
		t.Error("the trace was not told to go on")
	}
	for state, refusal := range map[TraceState]string{
		TraceNone: "! inconsistentValue 1", TraceWaitingForRuleSet: "! inconsistentValue 1", TraceReading: "", TraceEnded: "",
	} {
		m.trace.State = state
		play(t, m, h, "set rtfmTraceState.0 = i 3 "+refusal)
	}
	// flowInterfaceLostPackets has 32 bits.
	if got := get(t, h, oid("flowInterfaceLostPackets.2")); got.Value.Type != smi.Counter32 || got.Value.Uint != 5 {
		t.Errorf("lost packets: %v", &got)
	}
}

// TestNotifications checks that notifications name variables that there are.
func TestNotifications(t *testing.T) {
	m := newFakeMeter()
	m.control.Managers.Put(3, &Manager{CurrentRuleSet: 2})
	m.control.Readers.Put(4, &Reader{RuleSet: 2})
	m.control.Interfaces.Put(5, &Interface{})
	h := New(m)
	m.putRuleSet(2)
	for kind, want := range map[NotificationKind]int{
		MeterStarted: 2, Standby: 3, Flood: 1, ReaderTimedOut: 2, PacketsLost: 1, StandbyOver: 3, FloodOver: 1, TableFull: 1,
	} {
		n := Notification{Kind: kind, Index: map[NotificationKind]int{Standby: 3, StandbyOver: 3, ReaderTimedOut: 4, PacketsLost: 5, TableFull: 2}[kind], RuleSet: 2, Owner: "me", Count: 9}
		name, vars := n.Bindings()
		if !slices.Equal(name, below(module.Extension, 0, uint32(kind))) || len(vars) != want {
			t.Errorf("%d: %v with %v", kind, name, vars)
		}
		for _, vb := range vars {
			if got := get(t, h, vb.Name); got.Value.Type != vb.Value.Type {
				t.Errorf("%v is not of the type of %v", &vb, &got)
			}
		}
	}
}
