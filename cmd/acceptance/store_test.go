package acceptance

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

// tsharkPackets returns what tshark has of the packets of a trace that pass its filter.
func tsharkPackets(t *testing.T, trace, filter string) string {
	t.Helper()
	args := []string{"-n", "-r", trace, "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "frame.cap_len", "-e", "frame.protocols"}
	if filter != "" {
		args = append(args, "-Y", filter)
	}
	out, err := exec.Command(tracetest.Require(t, "tshark"), args...).Output()
	if err != nil {
		t.Fatalf("tshark %q: %v", args, err)
	}
	return string(out)
}

// storeOf stores a trace and returns the folder.
func storeOf(t *testing.T, trace string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "store")
	var stderr strings.Builder
	if status := runMain([]string{"store", "run", "-q", "-d", dir, trace}, nil, &stderr, &stderr); status != 0 {
		t.Fatalf("%s: exit status %d: %s", trace, status, stderr.String())
	}
	return dir
}

// storeGet gets packets of a store, and returns the trace and what was told.
func storeGet(t *testing.T, dir string, args ...string) (trace, told string) {
	t.Helper()
	trace = filepath.Join(t.TempDir(), "got.pcapng")
	var stderr strings.Builder
	if status := runMain(append([]string{"store", "get", dir, "-w", trace}, args...), nil, &stderr, &stderr); status != 0 {
		t.Fatalf("%q: exit status %d: %s", args, status, stderr.String())
	}
	return trace, stderr.String()
}

// TestStoreFilters gets packets from a store by filters: they are those that tshark finds
// in the trace itself.
func TestStoreFilters(t *testing.T) {
	t.Parallel()
	dir := storeOf(t, providerTrace)
	for _, tt := range []struct{ filter, tshark string }{
		{"", ""},
		{"host 10.1.9.31", "ip.addr == 10.1.9.31"},
		{"tcp and port 443", "tcp.port == 443"},
		{"not net 10/8", "not ip.addr == 10.0.0.0/8"},
		{"udp", "udp and not icmp and not gre"},
		{"icmp or icmp6", "icmp or icmpv6"},
		{"DestTransAddress == 53 || SourceTransAddress == 53", "udp.port == 53 or tcp.port == 53"},
	} {
		got, told := storeGet(t, dir, tt.filter)
		if got, want := tsharkPackets(t, got, ""), tsharkPackets(t, providerTrace, tt.tshark); got != want || want == "" {
			t.Errorf("%q: %d packets, want %d", tt.filter, strings.Count(got, "\n"), strings.Count(want, "\n"))
		}
		if !strings.Contains(told, "complete: nothing was lost") {
			t.Errorf("%q: %s", tt.filter, told)
		}
	}
	// Also those of a time.
	lines := strings.SplitAfter(tsharkPackets(t, providerTrace, ""), "\n")
	from, _, _ := strings.Cut(lines[1000], "\t")
	to, _, _ := strings.Cut(lines[3000], "\t")
	got, _ := storeGet(t, dir, "--from", from, "--to", to)
	want := tsharkPackets(t, providerTrace, fmt.Sprintf(`frame.time_epoch >= %s and frame.time_epoch < %s`, from, to))
	if got := tsharkPackets(t, got, ""); got != want || want == "" {
		t.Errorf("from %s to %s: %d packets, want %d", from, to, strings.Count(got, "\n"), strings.Count(want, "\n"))
	}
}

// TestStoreTraces stores traces of all kinds: tshark finds the same packets in the store's
// file, and metering the store is metering the trace.
func TestStoreTraces(t *testing.T) {
	t.Parallel()
	shared := tracetest.Require(t, "traces")
	names, err := filepath.Glob(filepath.Join(shared, "traces", "*", "*.pcap*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no traces: %v", err)
	}
	compared := 0
	for i, name := range names {
		if !tracetest.Long() && i%30 != 0 {
			continue
		}
		trace := filepath.Join(t.TempDir(), "trace.pcapng")
		if status := runMain([]string{"trace", "convert", "-q", name, trace}, nil, new(bytes.Buffer), new(bytes.Buffer)); status != 0 {
			continue // damaged, or none
		}
		dir := storeOf(t, trace)
		var flows [2]strings.Builder
		for j, from := range []string{trace, "store:" + dir} {
			var stderr strings.Builder
			if status := runMain([]string{"run", "-q", "--trust-times", "-r", everyFlow, "--csv", from}, nil, &flows[j], &stderr); status != 0 {
				t.Errorf("%s: exit status %d: %s", from, status, stderr.String())
			}
		}
		if a, b := withoutMeter(flows[0].String()), withoutMeter(flows[1].String()); a != b {
			t.Errorf("%s: the flows of the store are not those of the trace", name)
		}
		files, _ := filepath.Glob(filepath.Join(dir, "*.pcapng"))
		var got string
		for _, f := range files {
			got += tsharkPackets(t, f, "")
		}
		if want := tsharkPackets(t, trace, ""); got != want {
			t.Errorf("%s: %d packets in %d files, want %d", name, strings.Count(got, "\n"), len(files), strings.Count(want, "\n"))
		}
		compared++
		os.RemoveAll(dir)
	}
	if compared < 10 {
		t.Errorf("only %d traces were compared", compared)
	}
}

// withoutMeter returns rows of CSV without the columns that tell where they are from, and
// others.
func withoutMeter(rows string, more ...string) string {
	var b strings.Builder
	var leave map[int]bool
	for line := range strings.Lines(rows) {
		cells := strings.Split(line, ",")
		if leave == nil {
			leave = make(map[int]bool)
			for i, c := range cells {
				leave[i] = c == "Meter" || c == "Boot" || c == "FlowID" || slices.Contains(more, c)
			}
		}
		for i, c := range cells {
			if !leave[i] {
				b.WriteString(c + ",")
			}
		}
	}
	return b.String()
}

// TestStoreCut cuts a store's newest file anywhere, as a disk may do that lost its power:
// when a program has gone on, all packets but those of the chunk that was cut are there,
// and other programs open the file.
func TestStoreCut(t *testing.T) {
	t.Parallel()
	cuts := 4
	if tracetest.Long() {
		cuts = 50
	}
	trace := filepath.Join(t.TempDir(), "many.pcap")
	if err := os.WriteFile(trace, manyTuples(20_000), 0o600); err != nil {
		t.Fatal(err)
	}
	want := tsharkPackets(t, trace, "")
	names, _ := filepath.Glob(filepath.Join(storeOf(t, trace), "*.pcapng"))
	stored, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	for range cuts {
		dir := t.TempDir()
		file := filepath.Join(dir, filepath.Base(names[0]))
		n := 1<<20 + rand.IntN(len(stored)-1<<20)
		if err := os.WriteFile(file, stored[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if status := runMain([]string{"store", "run", "-d", dir, providerTrace}, nil, &out, &out); status != 0 {
			t.Fatalf("exit status %d: %s", status, out.String())
		}
		got := tsharkPackets(t, file, "")
		there := strings.Count(got, "\n")
		if !strings.HasPrefix(want, got) || !strings.Contains(out.String(), fmt.Sprintf("killed; %d packets of this file are there", there)) {
			t.Errorf("cut at %d of %d: tshark finds %d packets: %s", n, len(stored), there, out.String())
		}
		if packets, _, _ := surveyed(t, dir); packets != there+4161 {
			t.Errorf("cut at %d of %d: %d packets are there, %d in the file that was cut", n, len(stored), packets, there)
		}
	}
}
