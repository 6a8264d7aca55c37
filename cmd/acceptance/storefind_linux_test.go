package acceptance

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// TestStoreFiltersRandom gets packets of random filters from a store of many small files:
// they are those that tshark finds in the trace itself.
func TestStoreFiltersRandom(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "store")
	var stderr strings.Builder
	if status := runMain([]string{"store", "run", "-q", "--rotate", "2", "-d", dir, providerTrace}, nil, &stderr, &stderr); status != 0 {
		t.Fatalf("exit status %d: %s", status, stderr.String())
	}
	filters := 4
	if tracetest.Long() {
		filters = 300
	}
	r := rand.New(rand.NewPCG(51, 52))
	passed := 0
	for range filters {
		filter, tshark := bothFilters(r, 2)
		got, told := storeGet(t, dir, filter)
		if got, want := tsharkPackets(t, got, ""), tsharkPackets(t, providerTrace, tshark); got != want {
			t.Errorf("%s: %d packets, %d with tshark -Y '%s'", filter, strings.Count(got, "\n"), strings.Count(want, "\n"), tshark)
		}
		if strings.Contains(told, " of ") {
			passed++
		}
	}
	if passed == 0 {
		t.Error("all chunks are read for all filters")
	}
}

// bothFilters returns a random filter in tcpdump's words and in tshark's.
func bothFilters(r *rand.Rand, depth int) (words, tshark string) {
	if depth > 0 && r.IntN(4) > 0 {
		a, x := bothFilters(r, depth-1)
		b, y := bothFilters(r, depth-1)
		switch r.IntN(3) {
		case 0:
			return "(" + a + " and " + b + ")", "(" + x + " and " + y + ")"
		case 1:
			return "(" + a + " or " + b + ")", "(" + x + " or " + y + ")"
		}
		return "not (" + a + ")", "not (" + x + ")"
	}
	host := [...]string{"10.1.9.31", "203.0.113.44", "10.1.4.60", "203.0.113.60", "10.3.0.50", "198.51.100.81", "10.9.9.9"}[r.IntN(7)]
	port := [...]string{"443", "53", "16384", "51443", "40007", "9"}[r.IntN(6)]
	switch r.IntN(6) {
	case 0:
		return "host " + host, "ip.addr == " + host
	case 1:
		return "src host " + host, "ip.src == " + host
	case 2:
		return "net 10.1.0.0/16", "ip.addr == 10.1.0.0/16"
	case 3:
		return "udp port " + port, "udp.port == " + port
	case 4:
		return "tcp dst port " + port, "tcp.dstport == " + port
	}
	return "ip6", "ipv6"
}

// TestStoreFindSpeed stores RTFM_SPEED/manyflows.pcap, a million flows, RTFM_STORE_COPIES
// times (16 of them are 10 GiB), and gets packets with nothing of the files in memory,
// beside tcpdump over the same files. That they find as many is tested, how fast is not.
func TestStoreFindSpeed(t *testing.T) {
	speed := os.Getenv("RTFM_SPEED")
	if speed == "" {
		t.Skip("RTFM_SPEED is not set")
	}
	tcpdump := tracetest.Require(t, "tcpdump")
	trace, _ := prepareTrace(t, speed, "manyflows.pcap", tracetest.ShortFlows(1_000_000))
	copies := 1
	if n, err := strconv.Atoi(os.Getenv("RTFM_STORE_COPIES")); err == nil {
		copies = n
	}
	bin := t.TempDir()
	build(t, ".", filepath.Join(bin, "rtfm"))
	dir := filepath.Join(t.TempDir(), "store")
	for range copies {
		if out, err := exec.Command(filepath.Join(bin, "rtfm"), "store", "run", "-q", "-d", dir, trace).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.pcapng"))
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(bin, "out.pcapng")
	for _, filter := range []string{"host 10.0.0.4 and port 53686", "host 10.0.0.4", "net 172.16.17.0/24", "port 53686", "tcp"} {
		forgetFiles(t)
		began := time.Now()
		told, err := exec.Command(filepath.Join(bin, "rtfm"), "store", "get", dir, "-w", out, filter).CombinedOutput()
		took := time.Since(began)
		if err != nil {
			t.Fatalf("%v: %s", err, told)
		}
		found, n := numberIn(t, `^(\d+) packet`, string(told)), 0
		forgetFiles(t)
		began = time.Now()
		for _, f := range files {
			text, err := exec.Command(tcpdump, "-n", "-r", f, "--count", filter).Output()
			if err != nil {
				t.Fatalf("tcpdump: %v", err)
			}
			n += numberIn(t, `^(\d+) packet`, string(text))
		}
		other := time.Since(began)
		t.Logf("%-30s %8d packets: rtfm %7.1f ms, tcpdump %8.1f ms, %.0f times as long; %s", filter, found,
			took.Seconds()*1e3, other.Seconds()*1e3, other.Seconds()/took.Seconds(), strings.SplitAfterN(string(told), ";", 2)[0])
		if found != n {
			t.Errorf("%s: %d packets, %d with tcpdump", filter, found, n)
		}
	}
}

// forgetFiles has the system read files from the disk when they are read next.
func forgetFiles(t *testing.T) {
	t.Helper()
	exec.Command("sync").Run()
	if err := os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0); err != nil {
		tracetest.Missing(t, "root", fmt.Errorf("files stay in memory: %w", err))
	}
}
