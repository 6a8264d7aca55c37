package mib

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"rtfm/mib/module"
	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
)

// TestFeedSettings sets what a manager may set of a feed, and what it may not.
func TestFeedSettings(t *testing.T) {
	m := newFakeMeter()
	h := New(m)
	script := `
		get rtfmFeedURL.0 = s ''
		get rtfmFeedIdBits.0 = i 64
		get rtfmFeedMTU.0 = i 1500
		get rtfmFeedDelay.0 = i 20
		get rtfmFeedIdle.0 = i 60
		get rtfmFeedQueue.0 = i 65536
		get rtfmFeedFirst.0 = g 0
		get rtfmFeedDigest.0 = i 2
		set rtfmFeedURL.0 = s udp://192.0.2.1:4739  rtfmFeedFirst.0 = g 30  rtfmFeedIdBits.0 = i 32  rtfmFeedDomain.0 = g 4294967295  rtfmFeedRules.0 = s customers  rtfmFeedDigest.0 = i 1
		get rtfmFeedURL.0 = s udp://192.0.2.1:4739
		get rtfmFeedFirst.0 = g 30
		get rtfmFeedIdBits.0 = i 32
		get rtfmFeedDomain.0 = g 4294967295
		get rtfmFeedRules.0 = s customers
		get rtfmFeedDigest.0 = i 1
		set rtfmFeedFirst.0 = g 5  rtfmFeedURL.0 = s file:/etc/passwd ! wrongValue 2
		set rtfmFeedURL.0 = s unix:/run/x ! wrongValue 1
		set rtfmFeedURL.0 = s udp://192.0.2.1:4739/x ! wrongValue 1
		set rtfmFeedURL.0 = s 255*x ! wrongValue 1
		set rtfmFeedURL.0 = s 256*x ! wrongLength 1
		set rtfmFeedURL.0 = i 1 ! wrongType 1
		set rtfmFeedIdBits.0 = i 48 ! wrongValue 1
		set rtfmFeedMTU.0 = i 1279 ! wrongValue 1
		set rtfmFeedIdle.0 = i 0 ! wrongValue 1
		set rtfmFeedQueue.0 = i 1023 ! wrongValue 1
		set rtfmFeedFirst.0 = i 5 ! wrongType 1
		set rtfmFeedFirst.1 = g 5 ! noCreation 1
		set rtfmFeedState.0 = i 3 ! notWritable 1
		get rtfmFeedFirst.0 = g 30
		set rtfmFeedURL.0 = s ''
		get rtfmFeedURL.0 = s ''
	`
	play(t, m, h, script)
}

// TestFeedLocal has a feed that only who starts the meter can have: nobody else changes
// it.
func TestFeedLocal(t *testing.T) {
	for _, url := range []string{"file:/var/lib/x.ipfix", "unix:/run/x"} {
		m := newFakeMeter()
		m.control.Feed.URL = url
		play(t, m, New(m), `
			get rtfmFeedURL.0 = s `+url+`
			set rtfmFeedURL.0 = s '' ! inconsistentValue 1
			set rtfmFeedURL.0 = s udp://192.0.2.1 ! inconsistentValue 1
			set flowFloodMark.0 = i 50  rtfmFeedFirst.0 = g 1 ! inconsistentValue 2
		`)
	}
}

// TestCheckFeedURL tells URLs for managers from others.
func TestCheckFeedURL(t *testing.T) {
	for _, url := range []string{
		"udp://192.0.2.1:4739", "tcp://[2001:db8::1]:1", "udp://classifier.example.net", "udp://[2001:db8::1]", "tcp://h:65535",
	} {
		if err := CheckFeedURL(url); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, url := range []string{
		"", "udp://", "udp:h", "udp:///x", "h:4739", "file:/x", "file:x", "file://h/x", "unix:/x", "FILE:///x", "http://h", "udp://h:0", "udp://h:65536", "udp://h:", "udp://h:x",
		"udp://h/x", "udp://h?x", "udp://h:1\x00", "UDP://h", " udp://h", "udp://h ", "udp://:4739", "udp://" + strings.Repeat("h", 255),
	} {
		if CheckFeedURL(url) == nil {
			t.Errorf("%q is right", url)
		}
	}
}

// TestFeedStatus reads what has become of a feed.
func TestFeedStatus(t *testing.T) {
	m := newFakeMeter()
	m.feed = FeedStatus{
		State: FeedOpen, Error: "no route", Opened: fakeStart, Messages: 1 << 40, Records: 2, DroppedMessages: 3, DroppedRecords: 4, Flows: 5,
	}
	play(t, m, New(m), `
		get rtfmFeedState.0 = i 3
		get rtfmFeedError.0 = s no_route
		get rtfmFeedOpened.0 = h 07d10909012e28002b0000
		get rtfmFeedMessages.0 = c 1099511627776
		get rtfmFeedRecords.0 = c 2
		get rtfmFeedDroppedMessages.0 = c 3
		get rtfmFeedDroppedRecords.0 = c 4
		get rtfmFeedFlows.0 = g 5
	`)
}

// TestFeedFlowTable walks rtfmFeedFlowTable, and asks for its rows.
func TestFeedFlowTable(t *testing.T) {
	m := idMeter()
	delete(m.flowIDs, 3) // of which there are two
	m.flowIDs[7] = 1<<32 - 1
	h := New(m)
	entry := module.RtfmFeedFlowIndex.OID
	var got []string
	for _, vb := range walk(t, h, entry, entry) {
		got = append(got, fmt.Sprint(vb.Name[len(entry):], "=", vb.Value.Int))
	}
	want := []string{"0.0.0.0.255.255.255.255=7", "1.2.3.4.5.6.7.8=2", "128.0.0.0.0.0.0.5=1", "255.255.255.255.255.255.255.255=9"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	row := smi.OID{1, 2, 3, 4, 5, 6, 7, 8}
	for _, want := range []smi.VarBind{
		smitest.Int(module.RtfmFeedFlowRuleSet.At(row...).String(), 3), smitest.Uint(module.RtfmFeedFlowFirstTime.At(row...).String(), smi.TimeTicks, 2),
	} {
		if got := get(t, h, want.Name); !got.Equal(&want) {
			t.Errorf("%v, want %v", &got, &want)
		}
	}
	for _, tt := range []struct {
		after smi.OID
		row   int32 // 0: there is none
	}{
		{smi.OID{}, 7}, {smi.OID{1}, 2}, {smi.OID{1, 2, 3, 4, 5, 6, 7, 7}, 2}, {smi.OID{1, 2, 3, 4, 5, 6, 7, 8}, 1}, {smi.OID{1, 2, 3, 4, 5, 6, 7, 8, 0}, 1},
		{smi.OID{1, 2, 300}, 1}, {smi.OID{300}, 0}, {smi.OID{1, 2, 3, 4, 5, 6, 7, math.MaxUint32}, 1},
		{smi.OID{255, 255, 255, 255, 255, 255, 255, 254}, 9}, {smi.OID{255, 255, 255, 255, 255, 255, 255, 255}, 0},
	} {
		vb := next(t, h, module.RtfmFeedFlowIndex.At(tt.after...))
		if there := vb.Name.HasPrefix(entry); there != (tt.row != 0) || there && vb.Value.Int != tt.row {
			t.Errorf("after %v: %v, want row %d", tt.after, &vb, tt.row)
		}
	}
	for _, index := range []smi.OID{{}, row[:7], {1, 2, 3, 4, 5, 6, 7, 8, 3}, {1, 2, 3, 4, 5, 6, 6, 264}, {1, 2, 3, 4, 5, 6, 7, 9}} {
		if vb := get(t, h, module.RtfmFeedFlowIndex.At(index...)); vb.Value.Type != smi.NoSuchInstance {
			t.Errorf("%v: %v", index, &vb)
		}
	}
}
