package acceptance

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

// TestProgramsAgainstRules meters traces with programs that RFC 2723 prints,
// and with rules that were written by hand to ask the same, and wants the same
// flows.
func TestProgramsAgainstRules(t *testing.T) {
	programs := filepath.Join(tracetest.Require(t, "traces"), "rulesets")
	campus := filepath.Join(t.TempDir(), "campus.pcap")
	if err := os.WriteFile(campus, campusTrace(), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ program, rules string }{
		{"rfc2723-4.1-ports.srl", "ports.rules"},
		{"rfc2723-4.2-networks.srl", "networks.rules"},
		{"rfc2723-4.2-networks-nomatch.srl", "networks-nomatch.rules"},
	} {
		for _, trace := range []string{campus, "traces/testdata/sample.pcap"} {
			want := flowLines(t, filepath.Join("cmd/acceptance/testdata/rules", tt.rules), trace)
			got := flowLines(t, filepath.Join(programs, tt.program), trace)
			if got != want {
				t.Errorf("%s, %s:\n%s\nwant\n%s", tt.program, trace, got, want)
			}
			if n := strings.Count(want, "\n"); n < 5 {
				t.Errorf("%s, %s: only %d flows", tt.rules, trace, n)
			}
		}
	}
}

// flowLines meters a trace and returns the flow records.
func flowLines(t *testing.T, rules, trace string) string {
	t.Helper()
	var out, errs bytes.Buffer
	status := runMain([]string{"run", "-q", "-r", rules, "--format",
		"FlowIndex FirstTime SourcePeerType SourcePeerAddress SourcePeerMask DestPeerAddress DestPeerMask SourceTransType " +
			"DestTransAddress SourceKind DestKind FlowKind ToPDUs FromPDUs ToOctets FromOctets LastActiveTime", trace},
		strings.NewReader(""), &out, &errs)
	if status != 0 {
		t.Fatalf("rtfm run -r %s %s: status %d\n%s", rules, trace, status, &errs)
	}
	var lines strings.Builder
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "#") {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

// campusTrace makes a trace of packets between the networks that the programs
// know, and others, at ports that they know, and others.
func campusTrace() []byte {
	r := rand.New(rand.NewPCG(2723, 4))
	networks := []string{"130.216.1", "130.216.2", "130.217.3", "139.80.4", "192.0.2", "198.51.100"}
	ports := []int{20, 21, 23, 80, 443, 40000, 40001}
	var frames []tracetest.Frame
	for range 3000 {
		host := func() string { return fmt.Sprintf("%s.%d", networks[r.IntN(len(networks))], 1+r.IntN(3)) }
		f := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4(host(), host())
		s, d := ports[r.IntN(len(ports))], ports[r.IntN(len(ports))]
		switch r.IntN(5) {
		case 0:
			f = f.UDP(s, d)
		case 1:
			f = f.ICMP(8, 0)
		default:
			f = f.TCP(s, d, 16)
		}
		frames = append(frames, f.Payload(r.IntN(900)))
	}
	return tracetest.PCAP(tracetest.PCAPOptions{}, tracetest.Packets(frames...)...)
}
