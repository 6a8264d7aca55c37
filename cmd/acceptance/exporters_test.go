package acceptance

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rtfm/cmd"

	"rtfm/traces/tracetest"
)

// TestExporters meters the records of exporters that were asked for, tells of
// others, and of traces that hold none.
func TestExporters(t *testing.T) {
	record := make([]byte, 24+48)
	record[1], record[3], record[24+19], record[24+23], record[24+38] = 5, 1, 7, 70, 17
	frame := func(from string) tracetest.Frame {
		return tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4(from, "10.0.0.2").UDP(999, 2055).Raw(0, record)
	}
	trace := filepath.Join(t.TempDir(), "exports.pcap")
	write := func(frames ...tracetest.Frame) {
		if err := os.WriteFile(trace, tracetest.PCAP(tracetest.PCAPOptions{}, tracetest.Packets(frames...)...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args   []string
		status int
		want   []string
	}{
		{[]string{"netflow:" + trace, "--exporter", "10.0.0.1", "--exporter", "10.1.0.0/16"}, 0,
			[]string{"exports.pcap: export datagram from 10.2.0.3:999: this exporter was not asked for",
				"exports.pcap: 2 datagrams are of exporters that were not asked for: they are not counted", "\n14 packets, 140 octets"}},
		{[]string{"netflow:" + trace}, 0, []string{"\n28 packets, 280 octets"}},
		{[]string{trace, "--exporter", "10.0.0.1"}, 1, []string{"--exporter is for flow records"}},
		{[]string{"netflow:" + trace, "--exporter", "x"}, 1, []string{`"x" is neither an address nor ADDRESS/WIDTH`}},
	} {
		write(frame("10.0.0.1"), frame("10.1.9.9"), frame("10.2.0.3"), frame("10.2.0.4"))
		var out, errs bytes.Buffer
		status := runMain(append([]string{"run", "--nemac"}, c.args...), nil, &out, &errs)
		for _, want := range c.want {
			if !strings.Contains("\n"+errs.String(), want) {
				t.Errorf("%q: %s\nwant %q", c.args, &errs, want)
			}
		}
		if status != c.status {
			t.Errorf("%q: exit status %d, want %d", c.args, status, c.status)
		}
	}
	record[1] = 4 // not a version that there is
	write(frame("10.0.0.1"))
	var out, errs bytes.Buffer
	status := runMain([]string{"run", "-q", "netflow:" + trace}, nil, &out, &errs)
	if s := errs.String(); status != cmd.StatusDamaged || !strings.Contains(s, "exports.pcap: 1 packets: no packet holds an export datagram of NetFlow 5") {
		t.Errorf("exit status %d, %s", status, s)
	}
}
