package acceptance

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

// meterTimes runs rtfm over a trace and returns what it writes and complains of.
func meterTimes(t *testing.T, trace string, args ...string) (written, complaints string) {
	t.Helper()
	var out, errs bytes.Buffer
	if status := runMain(append(append([]string{"run"}, args...), trace), nil, &out, &errs); status != 0 {
		t.Errorf("exit status %d: %s", status, &errs)
	}
	return out.String(), errs.String()
}

// wants wants all of these texts, but those that begin with "!" not.
func wants(t *testing.T, what, text string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if not, no := strings.CutPrefix(want, "!"); no == strings.Contains(text, strings.TrimPrefix(want, "!")) {
			t.Errorf("%s: %q is wrong about\n%s", what, not, text)
		}
	}
}

// TestWildTime has one packet of the sample be of the year 2106: it counts at the
// time before it, and is told of in every form.
func TestWildTime(t *testing.T) {
	sample, err := os.ReadFile("traces/testdata/sample.pcap")
	if err != nil {
		t.Fatal(err)
	}
	at := 24
	for range 500 {
		at += 16 + int(binary.LittleEndian.Uint32(sample[at+8:]))
	}
	binary.LittleEndian.PutUint32(sample[at:], 0xfffffff0)
	trace := filepath.Join(t.TempDir(), "wild.pcap")
	if err := os.WriteFile(trace, sample, 0o644); err != nil {
		t.Fatal(err)
	}
	right, _ := meterTimes(t, "traces/testdata/sample.pcap", "-q", "--nemac", "--name", "a", "-T", "60")
	written, complaints := meterTimes(t, trace, "--nemac", "--name", "a", "-T", "60")
	if a, b := behindFirstLine(right), behindFirstLine(written); a != b {
		t.Errorf("with one wild time it is\n%s\nwithout\n%s", b, a)
	}
	wants(t, "the summary", complaints,
		"wild.pcap: packet 501 is of 2106-02-07T06:28:00.181344000Z, more than an hour ahead of those behind it: it counts at 2026-11-21T09:14:30.059960000Z, as such packets do\n",
		"\n1 packets are outliers: ", "!earlier")
	written, _ = meterTimes(t, trace, "-q", "--json")
	wants(t, "JSON", written, `"outliers":1`)
	_, complaints = meterTimes(t, trace, "--trust-times")
	wants(t, "trusted", complaints, "\n1527 packets were earlier than one before them\n", "!outliers")
}

func behindFirstLine(text string) string {
	_, rest, _ := strings.Cut(text, "\n")
	return rest
}

// TestClampedTimes meters packets of times that are before 1970 and after 2262.
func TestClampedTimes(t *testing.T) {
	packets := tracetest.Mix(5)
	ng := new(tracetest.NG).Section(false)
	ng.Interface(packets[0].Link, 0, ng.Resolution(0)) // seconds
	ng.Interface(packets[0].Link, 0, ng.Resolution(0), ng.Offset(-1_000_000_000))
	for i, p := range []struct {
		iface uint32
		ticks uint64
	}{{0, 1_700_000_000}, {1, 999_999_999}, {0, 16_725_225_600}, {1, 2_700_000_000}} {
		ng.Packet(p.iface, p.ticks, packets[i].Data, packets[i].Wire)
	}
	trace := filepath.Join(t.TempDir(), "clamped.pcapng")
	if err := os.WriteFile(trace, ng.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	_, complaints := meterTimes(t, trace)
	wants(t, "the summary", complaints, "\n2 packets are of times before 1970 or after 2262, and count at the nearest in between\n")
	written, _ := meterTimes(t, trace, "-q", "--json")
	wants(t, "JSON", written, `"clamped":2`)
	var out, errs bytes.Buffer
	if status := runMain([]string{"trace", "info", trace}, nil, &out, &errs); status != 0 {
		t.Fatal(errs.String())
	}
	wants(t, "trace info", out.String(), "clamped    2 packets, whose times are before 1970 or after 2262\n")
}
