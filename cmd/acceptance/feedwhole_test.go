package acceptance

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"rtfm/traces/tracetest"
)

// TestFeedMessagesFillUp meters traces of as many packets as a message of a feed has room
// for, a few more or fewer, and several times that: each packet is told, those in the last
// message too, which is not full. Messages have room for 62 to 561 PACKETs.
func TestFeedMessagesFillUp(t *testing.T) {
	dir := t.TempDir()
	trace, file := filepath.Join(dir, "t.pcap"), filepath.Join(dir, "t.ipfix")
	frame := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("10.0.0.1", "10.0.0.2").UDP(1, 2)
	for _, mtu := range []int{1280, 9000} {
		for _, width := range []int{32, 64} {
			record := 12 + width/8
			each := (mtu - 16 - 4) / record
			ns := []int{0, 1, 2, 1 + rand.IntN(3*each)}
			for _, k := range []int{1, 3} {
				for near := -12; near <= 2; near++ { // some octets are NEW's, and of templates
					ns = append(ns, k*each+near)
				}
			}
			packets := tracetest.Packets()
			for _, n := range ns {
				for len(packets) < n {
					packets = append(packets, tracetest.Packets(frame)...)
				}
				if err := os.WriteFile(trace, tracetest.PCAP(tracetest.PCAPOptions{}, packets[:n]...), 0o600); err != nil {
					t.Fatal(err)
				}
				var complaints bytes.Buffer
				args := []string{"run", "-q", "-r", everyFlow, "-F", os.DevNull, "--feed", "file:" + file,
					"--feed-mtu", fmt.Sprint(mtu), "--feed-id", fmt.Sprint(width), trace}
				if status := runMain(args, nil, &complaints, &complaints); status != 0 {
					t.Fatalf("%v: exit status %d: %s", args, status, &complaints)
				}
				if got := feedTallyOf(t, file); got.packets != n || got.told != uint64(n) || got.news != min(n, 1) || got.ends != min(n, 1) || got.missing > 0 {
					t.Fatalf("%d packets, messages of %d octets, FlowIDs of %d bits: %+v", n, mtu, width, got)
				}
			}
		}
	}
}
