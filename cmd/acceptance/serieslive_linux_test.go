package acceptance

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// ruleSetPDUs matches the packets of a ruleset's row of a series.
var ruleSetPDUs = regexp.MustCompile(`"RuleSetName":"[^"]*","PDUs":(\d+),`)

// TestLiveSeries has a meter write what it counts at an interface in each tenth of a
// second: the rows come to what was sent. After SIGHUP they go into another file.
func TestLiveSeries(t *testing.T) {
	t.Parallel()
	tracetest.Network(t)
	dir := t.TempDir()
	file, old := filepath.Join(dir, "series.jsonl"), filepath.Join(dir, "old.jsonl")
	p := startLive(t, 1, "meter", "-i", "eb", "--series", file, "--series-interval", "0.1", "--grace", "0")
	sender := tracetest.NewSender(t, "ea")
	frames := tracetest.Mix(1500)
	send := func(n int) (octets uint64) {
		for _, f := range frames[:n] {
			sender.Send(f.Data)
			octets += uint64(len(f.Data))
		}
		frames = frames[n:]
		p.wait(20*time.Second, func(string) bool {
			written, sum := readText(t, file), 0
			for _, m := range ruleSetPDUs.FindAllStringSubmatch(written, -1) {
				pdus, err := strconv.Atoi(m[1])
				if err != nil {
					t.Fatal(err)
				}
				sum += pdus
			}
			return sum == n && written[len(written)-1] == '\n'
		})
		return octets
	}
	first := send(1000)
	if err := os.Rename(file, old); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	p.wait(20*time.Second, func(string) bool {
		_, err := os.Stat(file)
		return err == nil
	})
	second := send(500)
	p.endLive()

	for path, want := range map[string][2]uint64{old: {1000, first}, file: {500, second}} {
		_, sum := seriesOf(t, path)
		if sum.PDUs != want[0] || sum.Octets != want[1] {
			t.Errorf("%s has %d packets and %d octets, want %v", filepath.Base(path), sum.PDUs, sum.Octets, want)
		}
	}
	if got := readText(t, old) + readText(t, file); !regexp.MustCompile(`"Interface":\d+,"InterfaceName":"eb","PDUs":[1-9]`).MatchString(got) {
		t.Errorf("no rows of interface eb:\n%s", got)
	}
}
