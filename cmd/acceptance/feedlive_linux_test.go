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

// TestLiveFeed has a meter tell of what comes at an interface: into a file, where it is
// soon although nothing follows, and after SIGHUP into another one, which has again what
// flows there are; and a run tell a receiver over TCP. All is there when a signal has
// ended them.
func TestLiveFeed(t *testing.T) {
	t.Parallel()
	tracetest.Network(t)
	dir := t.TempDir()
	file, old, flows := filepath.Join(dir, "feed.ipfix"), filepath.Join(dir, "old.ipfix"), filepath.Join(dir, "flows.jsonl")
	receiver := startBeside(t, exec.Command("rtfm", "feed", "-l", "tcp://127.0.0.1:4739", "--until-end", "-F", flows))
	receiver.wait(20*time.Second, func(string) bool { return tracetest.Run(t, "ss -Htnl sport = :4739") != "" })
	p := startLive(t, 1, "meter", "-i", "eb", "--feed", "file:"+file, "--feed-delay", "5ms", "--feed-idle", "4", "--grace", "0")
	run := startLive(t, 2, "run", "-q", "-i", "eb", "-r", "@flows", "-F", os.DevNull, "--feed", "tcp://127.0.0.1")
	sender := tracetest.NewSender(t, "ea")
	frames := tracetest.Mix(1500)
	send := func(n, all int) {
		t.Helper()
		for _, f := range frames[:n] {
			sender.Send(f.Data)
		}
		frames = frames[n:]
		p.wait(20*time.Second, func(string) bool { return feedTallyOf(t, file).packets >= all })
	}
	send(1000, 1000)
	if err := os.Rename(file, old); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	p.wait(20*time.Second, func(string) bool { _, err := os.Stat(file); return err == nil })
	send(500, 1)
	p.wait(20*time.Second, func(string) bool { return feedTallyOf(t, file).news >= 2 })
	p.endLive()
	run.endLive()
	if status := receiver.exit(20 * time.Second); status != 0 {
		t.Errorf("the receiver ends with status %d:\n%s", status, receiver.printed())
	}
	a, b := feedTallyOf(t, old), feedTallyOf(t, file)
	if a.packets+b.packets != 1500 || a.missing+b.missing > 0 || b.news == 0 || b.told != b.counted || b.counted != 1500 || b.before == 0 {
		t.Errorf("first %+v, then %+v", a, b)
	}
	if got := readText(t, flows); len(got) == 0 {
		t.Error("no flows came over TCP")
	}
}

// TestLiveFeedEnds ends a run while many packets come, at any moment: each packet that it
// has metered is told.
func TestLiveFeedEnds(t *testing.T) {
	t.Parallel()
	tracetest.Network(t)
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		dir := t.TempDir()
		file, wait := filepath.Join(dir, "feed.ipfix"), time.Duration(rand.IntN(200))*time.Millisecond
		p := startLive(t, 1, "run", "-i", "eb", "-r", everyFlow, "-F", os.DevNull, "--feed", "file:"+file)
		go func() {
			time.Sleep(wait)
			p.signal(signal)
		}()
		tracetest.Blast{Hosts: 50, Ports: 50, Rate: 50_000}.Send(t, "ea", "eb", 20_000)
		p.exit(20 * time.Second)
		metered, flows := numberIn(t, `(?m)^(\d+) packets?, `, p.printed()), numberIn(t, `(?m)^(\d+) flows?`, p.printed())
		if got := feedTallyOf(t, file); got.packets != metered || got.told != uint64(metered) || got.news != flows || got.ends != flows || got.missing > 0 {
			t.Errorf("%v after %v: %d packets in %d flows are metered; %+v\n%s", signal, wait, metered, flows, got, p.printed())
		}
	}
}
