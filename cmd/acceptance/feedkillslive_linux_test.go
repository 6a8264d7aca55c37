package acceptance

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// TestLiveFeedKills kills the receiver, and at last the meter, of a feed over UDP while many
// packets come at an interface. Another meter there, which nobody kills, tells the truth.
func TestLiveFeedKills(t *testing.T) {
	if testing.Short() {
		t.Skip("mostly waits for programs that are killed, or read long lists")
	}
	t.Parallel()
	tracetest.Network(t)
	dir := t.TempDir()
	file, packets, told := filepath.Join(dir, "feed.ipfix"), filepath.Join(dir, "packets"), filepath.Join(dir, "told")
	receive := func() *process {
		p := startBeside(t, exec.Command("rtfm", "feed", "-q", "-l", "udp://127.0.0.1:4739", "--packets", packets))
		p.wait(20*time.Second, func(string) bool { return tracetest.Run(t, "ss -Hlnu sport = :4739") != "" })
		return p
	}
	truth := startLive(t, 1, "run", "-q", "-i", "eb", "-r", everyFlow, "-F", os.DevNull, "--feed", "file:"+file)
	meter := startLive(t, 2, "run", "-q", "-i", "eb", "-r", everyFlow, "-F", os.DevNull, "--feed", "udp://127.0.0.1:4739")
	kills, _ := killing()
	kills = max(kills/3, 3)
	const blast, rate, lasts = 4000, 4000, time.Second
	var last *process
	for i := range kills {
		last = receive()
		victim, wait := last, rand.N(lasts)
		if i == kills-1 {
			// The receiver is told templates half a second after the one before it has gone.
			victim, wait = meter, lasts*3/4+rand.N(lasts/4)
		}
		killed := make(chan struct{})
		go func() {
			time.Sleep(wait)
			victim.signal(syscall.SIGKILL)
			close(killed)
		}()
		tracetest.Blast{Hosts: 50, Ports: 50, Rate: rate}.Send(t, "ea", "eb", blast)
		<-killed
		victim.exit(20 * time.Second)
	}
	last.signal(syscall.SIGTERM)
	if status := last.exit(20 * time.Second); status != 4 {
		t.Errorf("the receiver that came late ends with %d: %s", status, last.printed())
	}
	truth.endLive()
	ends(t, program(t, "feed", "-q", "--packets", told, file))
	all, missing := fedPackets(t, told)
	got, gaps := fedPackets(t, packets)
	lacking := followsTruth(t, got, all, int64(20*time.Millisecond))
	t.Logf("%d kills: %d packets of %d came, %d lack, %d records are told to be missing", kills, len(got), len(all), lacking, gaps)
	if len(all) != kills*blast || missing > 0 || len(got)+lacking != len(all) || len(got) < blast/10 {
		t.Errorf("%d packets came and %d lack, of %d, and %d that were sent", len(got), lacking, len(all), kills*blast)
	}
}
