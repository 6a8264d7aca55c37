package acceptance

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// fedPacket is a line of `rtfm feed --packets`.
type fedPacket struct {
	Record, Meter, FlowID, Direction string
	Number, Missing                  uint64
	TimeNs                           int64
	Octets, TCPFlags                 int
}

// fedPackets reads the lines of packets, and how many records are told to be missing.
func fedPackets(t *testing.T, path string) (packets []fedPacket, missing uint64) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var p fedPacket
		if err := json.Unmarshal(line, &p); err != nil {
			t.Fatalf("%s: %v: %s", path, err, line)
		}
		if missing += p.Missing; p.Missing == 0 {
			packets = append(packets, p)
		}
	}
	return packets, missing
}

// feedTruth meters a trace and returns the packets of its feed, which has no losses.
func feedTruth(t *testing.T, trace string) []fedPacket {
	file, packets := filepath.Join(t.TempDir(), "fed"), filepath.Join(t.TempDir(), "packets")
	ends(t, program(t, "run", "-q", "-r", "manager/testdata/all.srl", "-F", os.DevNull, "--feed", "file:"+file, trace))
	ends(t, program(t, "feed", "-q", "--packets", packets, file))
	truth, _ := fedPackets(t, packets)
	return truth
}

// followsTruth wants packets to be those of the truth, each once and in its order. Where
// some lack, at least as many records must lack between the numbers of those around it.
// Times may differ by so many nanoseconds. It returns how many lack.
func followsTruth(t *testing.T, packets, truth []fedPacket, by int64) (lacking int) {
	t.Helper()
	at := 0
	for i, p := range packets {
		skipped := 0
		for at < len(truth) && truth[at].TimeNs < p.TimeNs+by && (truth[at].TimeNs < p.TimeNs-by || truth[at].FlowID != p.FlowID) {
			at, skipped = at+1, skipped+1
		}
		before := p.Number
		if i > 0 {
			before = p.Number - packets[i-1].Number - 1
		}
		w := fedPacket{}
		if at < len(truth) {
			w = truth[at]
		}
		if w.TimeNs < p.TimeNs-by || w.TimeNs > p.TimeNs+by || w.FlowID != p.FlowID || w.Octets != p.Octets || w.Direction != p.Direction || w.TCPFlags != p.TCPFlags {
			t.Fatalf("packet %d, %+v, comes twice or was never told: %+v is next", i, p, w)
		}
		if uint64(skipped) > before {
			t.Fatalf("before packet %d, %+v, %d packets lack, and by its number %d records", i, p, skipped, before)
		}
		at, lacking = at+1, lacking+skipped
	}
	return lacking + len(truth) - at
}

// feedKills is the trace of tests that kill, and its truth.
func feedKills(t *testing.T) (trace string, truth []fedPacket) {
	trace = filepath.Join(t.TempDir(), "long.pcap")
	packets := 40_000
	if tracetest.Long() {
		packets *= 5 // so that there is time for all kills
	}
	if err := os.WriteFile(trace, longTrace(packets), 0o666); err != nil {
		t.Fatal(err)
	}
	return trace, feedTruth(t, trace)
}

// feedURL returns where a receiver may listen.
func feedURL(t *testing.T, network string) string {
	if network == "unix" {
		return "unix:" + filepath.Join(t.TempDir(), "s")
	}
	return network + "://" + tracetest.Address(t, network)
}

// heard waits until somebody listens at a URL, if that can be known.
func heard(t *testing.T, url string) {
	network, address, _ := strings.Cut(url, ":")
	if network == "udp" {
		return
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if c, err := net.Dial(network, strings.TrimPrefix(address, "//")); err == nil {
			c.Close()
			return
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// TestFeedReceiverIsKilled kills the receiver of a feed again and again. Its file has no
// packet twice, and the numbers of those that it has tell how many records it lacks.
func TestFeedReceiverIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("mostly waits for programs that are killed, or read long lists")
	}
	t.Parallel()
	trace, truth := feedKills(t)
	for _, network := range []string{"tcp", "unix", "udp"} {
		t.Run(network, func(t *testing.T) {
			kills, _ := killing()
			url, packets := feedURL(t, network), filepath.Join(t.TempDir(), "packets")
			r := rand.New(rand.NewPCG(18, uint64(len(network))))
			receive := func() *process {
				return startBeside(t, exec.Command("rtfm", "feed", "-q", "-l", url, "--packets", packets))
			}
			args := []string{"run", "-q", "-r", "manager/testdata/all.srl", "-F", os.DevNull, "--feed", url, trace}
			p, killed := receive(), 0
			meter := startBeside(t, exec.Command("rtfm", args...))
			step := int64(len(truth)) * 130 / int64(kills)
			for ; killed < kills && grown(t, packets, size(packets)+1+r.Int64N(step), meter); killed++ {
				p.signal(syscall.SIGKILL)
				p.exit(20 * time.Second)
				p = receive()
			}
			if status := meter.exit(time.Minute); status != 0 {
				t.Errorf("the meter ends with %d", status)
			}
			heard(t, url)
			p.signal(syscall.SIGTERM)
			if status := p.exit(20 * time.Second); network != "udp" && status != 4 && status != 0 {
				t.Errorf("the receiver ends with %d", status)
			}
			got, missing := fedPackets(t, packets)
			lacking := followsTruth(t, got, truth, 0)
			t.Logf("%d kills: %d packets of %d came, %d lack, %d records are told to be missing", killed, len(got), len(truth), lacking, missing)
			if len(got)+lacking != len(truth) || killed == 0 {
				t.Errorf("%d kills, %d packets came and %d lack of %d", killed, len(got), lacking, len(truth))
			}
		})
	}
}

// TestFedMeterIsKilled kills a meter that feeds a receiver. What came is what was told up
// to then; flows that have no end are told, with the packets that they had.
func TestFedMeterIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("mostly waits for programs that are killed, or read long lists")
	}
	t.Parallel()
	trace, truth := feedKills(t)
	kills, _ := killing()
	kills = max(kills/2, 4)
	r := rand.New(rand.NewPCG(18, 1))
	killed := 0
	for i := range kills {
		network := []string{"tcp", "unix"}[i%2]
		dir := t.TempDir()
		url, packets, flows := feedURL(t, network), filepath.Join(dir, "packets"), filepath.Join(dir, "flows")
		p := startBeside(t, exec.Command("rtfm", "feed", "--until-end", "-l", url, "--packets", packets, "-F", flows))
		meter := startBeside(t, exec.Command("rtfm", "run", "-q", "-r", "manager/testdata/all.srl", "-F", os.DevNull, "--feed", url, trace))
		alive := grown(t, packets, 1+r.Int64N(int64(len(truth))*130), meter)
		meter.signal(syscall.SIGKILL)
		meter.exit(20 * time.Second)
		status := p.exit(20 * time.Second)
		got, missing := fedPackets(t, packets)
		lacking := followsTruth(t, got, truth, 0)
		received, open := uint64(0), 0
		text, err := os.ReadFile(flows)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			var row struct {
				EndReason      string
				Received, Told uint64
			}
			if err := json.Unmarshal(line, &row); err != nil {
				t.Fatal(err)
			}
			received += row.Received
			if row.EndReason == "" {
				open++
			} else if row.Received != row.Told {
				t.Errorf("a flow that has ended lacks packets: %s", line)
			}
		}
		whole := strings.Contains(p.printed(), "nothing is missing")
		if alive && open > 0 {
			killed++
		}
		if received != uint64(len(got)) || missing != 0 || len(got)+lacking != len(truth) || whole != (status == 0) || !whole && (status != 4 || open == 0) {
			t.Errorf("exit status %d: %d packets came of %d, the flows have %d, %d have no end, %d records are missing", status, len(got), len(truth), received, open, missing)
		}
	}
	if killed < kills/2 {
		t.Errorf("only %d of %d meters were killed before their end", killed, kills)
	}
}
