package acceptance

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

// TestStoreCutoff stores packets with a cutoff: those that tshark finds beyond so many
// octets of their flow have headers only, and others are as they were. Metering the store
// is metering the trace.
func TestStoreCutoff(t *testing.T) {
	t.Parallel()
	const cutoff = 4096
	dir := filepath.Join(t.TempDir(), "store")
	var out strings.Builder
	if status := runMain([]string{"store", "run", "-d", dir, "--cutoff", "4KiB", providerTrace}, nil, &out, &out); status != 0 {
		t.Fatalf("exit status %d: %s", status, out.String())
	}
	told := numberIn(t, `(\d+) of them have headers only`, out.String())
	out.Reset()
	runMain([]string{"store", "info", dir}, nil, &out, &out)
	if n := numberIn(t, `(\d+) headers only by the cutoff\n$`, out.String()); n != told {
		t.Errorf("%d packets have headers only, and store info tells of %d", told, n)
	}

	fields := func(trace string) (lines [][]string) {
		out, err := exec.Command(tracetest.Require(t, "tshark"), "-n", "-r", trace, "-T", "fields", "-E", "occurrence=f", "-E", "separator=;",
			"-e", "frame.len", "-e", "frame.cap_len", "-e", "ip.proto", "-e", "ipv6.nxt", "-e", "ip.frag_offset", "-e", "ip.src", "-e", "ipv6.src", "-e", "udp.srcport", "-e", "tcp.srcport",
			"-e", "ip.dst", "-e", "ipv6.dst", "-e", "udp.dstport", "-e", "tcp.dstport").Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			lines = append(lines, strings.Split(strings.TrimSpace(line), ";"))
		}
		return lines
	}
	file, _ := filepath.Glob(filepath.Join(dir, "*.pcapng"))
	whole, stored := fields(providerTrace), fields(file[0])
	had := make(map[string]int)
	cut, skipped := 0, 0
	for i, f := range whole {
		if proto := f[2] + f[3]; proto != "6" && proto != "17" || f[4] != "" && f[4] != "0" {
			skipped++
			continue
		}
		from, to := strings.Join(f[5:9], " "), strings.Join(f[9:13], " ")
		flow := f[2] + f[3] + min(from, to) + max(from, to)
		want, _ := strconv.Atoi(f[1])
		got, _ := strconv.Atoi(stored[i][1])
		switch long := had[flow] >= cutoff; {
		case !long && got != want:
			t.Fatalf("packet %d has %d octets of %d, when its flow had %d before", i+1, got, want, had[flow])
		case long && got > 14+4+40+60:
			t.Fatalf("packet %d has %d octets, when its flow had %d before", i+1, got, had[flow])
		case got < want:
			cut++
		}
		n, _ := strconv.Atoi(f[0])
		had[flow] += n
	}
	if cut > told || cut+skipped < told || cut < len(whole)/4 {
		t.Errorf("tshark finds %d packets that are cut, %d were told", cut, told)
	}

	var flows [2]strings.Builder
	for i, from := range []string{providerTrace, "store:" + dir} {
		var stderr strings.Builder
		if status := runMain([]string{"run", "-q", "-r", everyFlow, "--csv", from}, nil, &flows[i], &stderr); status != 0 {
			t.Fatalf("%s: exit status %d: %s", from, status, stderr.String())
		}
	}
	if a, b := withoutMeter(flows[0].String()), withoutMeter(flows[1].String()); a != b {
		t.Error("the flows of the store are not those of the trace")
	}
}
