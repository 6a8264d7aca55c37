package acceptance

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// TestReaderPair collects two meters at one interface, of which the first is killed and
// started again while packets come: each interval is taken from one of them, and all
// together have counted each packet once.
func TestReaderPair(t *testing.T) {
	tracetest.Network(t)
	addresses := [2]string{tracetest.Address(t, "udp"), tracetest.Address(t, "udp")}
	start := func(i int) *process {
		cmd := exec.Command("rtfm", "meter", "-i", "eb", "--snmp", addresses[i])
		cmd.Env = append(os.Environ(), "RTFM_READ_COMMUNITY=reader", "RTFM_WRITE_COMMUNITY=writer")
		return startBeside(t, cmd)
	}
	meters := [2]*process{start(0), start(1)}
	meters[1].waitToCapture(2)
	file := filepath.Join(t.TempDir(), "flows")
	collections := func() int {
		text, _ := os.ReadFile(file)
		return strings.Count(string(text), `{"record":"end"`)
	}
	cmd := exec.Command("rtfm", "reader", "--pair", "--json", "-c", "1", "-r", "1", "--timeout", "0.2", "--retries", "1", "-F", file, addresses[0], addresses[1])
	cmd.Env = append(os.Environ(), "RTFM_COMMUNITY=writer")
	r := startBeside(t, cmd)
	s, frame := tracetest.NewSender(t, "ea"), tracetest.Blast{Hosts: 1, Ports: 1}.Frame(0)
	sent := 0
	for interval := range 4 {
		// Packets come when no collection is made, of either meter. The next is made when
		// a second is over.
		for begun := false; !begun || time.Now().Nanosecond() > 5e8; begun = true {
			before := collections()
			r.wait(20*time.Second, func(string) bool { return collections() > before })
		}
		for range 10 + interval {
			s.Send(frame)
			sent++
		}
		if interval == 1 {
			meters[0].signal(syscall.SIGKILL)
			meters[0].exit(10 * time.Second)
			meters[0] = start(0)
		}
	}
	all := collections()
	r.wait(20*time.Second, func(string) bool { return collections() > all })
	r.signal(syscall.SIGINT)
	if status := r.exit(20 * time.Second); status != 0 {
		t.Errorf("exit status %d", status)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var counted int
	from := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		var flow struct {
			Record string `json:"record"`
			Meter  string `json:"Meter"`
			PDUs   int    `json:"DeltaToPDUs"`
		}
		if err := json.Unmarshal([]byte(line), &flow); err != nil {
			t.Fatal(err)
		}
		counted += flow.PDUs
		if flow.Record == "flow" {
			from[flow.Meter] = true
		}
	}
	if counted != sent || !from[addresses[0]] || !from[addresses[1]] || !strings.Contains(r.printed(), "was restarted") {
		t.Errorf("%d packets of %d, from %v:\n%s\n%s", counted, sent, from, text, r.printed())
	}
}
