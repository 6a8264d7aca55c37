package acceptance

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// feedClients are the programs that docs/FEED.md shows: one that prints the first packets
// of flows, and one that reads messages with NumPy.
func feedClients(t *testing.T) (plain, numpy string) {
	t.Helper()
	text, err := os.ReadFile("docs/FEED.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```python\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 2 {
		t.Fatalf("%d programs in Python", len(blocks))
	}
	if lines := strings.Count(blocks[0][1], "\n"); lines > 10 {
		t.Errorf("the client has %d lines", lines)
	}
	return blocks[0][1], blocks[1][1]
}

// pythonFile writes a program into a new folder.
func pythonFile(t *testing.T, program string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "client.py")
	if err := os.WriteFile(name, []byte(program), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

// firstTen returns the lines that the client is to print, by what rtfm feed tells of a
// file, and all packets.
func firstTen(t *testing.T) (lines []string, packets []toldPacket) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "x.ipfix")
	succeed(t, "run", "-q", "-r", "@flows", "--feed", "file:"+file, sample)
	flows := make(map[string][]string)
	for line := range strings.Lines(succeed(t, "feed", "-q", "--packets", "-", file)) {
		var p toldPacket
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		packets = append(packets, p)
		octets := p.Octets
		if p.Direction == "from" {
			octets = -octets
		}
		f := append(flows[p.FlowID], fmt.Sprint(octets))
		if flows[p.FlowID] = f; len(f) == 10 {
			lines = append(lines, p.FlowID+" "+strings.Join(f, " "))
		}
	}
	return lines, packets
}

type toldPacket struct {
	FlowID, Direction string
	TimeNs            int64
	Octets, TCPFlags  int
}

// TestFeedPython has the client of docs/FEED.md read the feed of rtfm run, and of rtfm
// meter.
func TestFeedPython(t *testing.T) {
	t.Parallel()
	python := tracetest.Require(t, "python3")
	plain, _ := feedClients(t)
	want, _ := firstTen(t)
	if len(want) < 20 {
		t.Fatalf("only %d flows have ten packets", len(want))
	}
	port := freePort(t)
	bound := strings.Replace(plain, `s.bind(("", 4739))`, `s.bind(("127.0.0.1", `+port+`)); print("bound", flush=True)`, 1)
	// In few datagrams, which the client's socket has room for at once.
	for _, args := range [][]string{
		{"run", "-q", "-r", "@flows", "--feed", "udp://127.0.0.1:" + port, "--feed-delay", "60", sample},
		{"meter", "--feed", "udp://127.0.0.1:" + port, "--feed-delay", "60", "--grace", "0", sample},
	} {
		client := startBeside(t, exec.Command(python, pythonFile(t, bound)))
		client.wait(20*time.Second, func(printed string) bool { return printed == "bound\n" })
		if args[0] == "run" {
			succeed(t, args...)
			client.wait(20*time.Second, func(printed string) bool { return strings.Count(printed, "\n") > len(want) })
			if got := strings.Split(strings.TrimSpace(client.printed()), "\n")[1:]; !slices.Equal(got, want) {
				t.Errorf("the client prints\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		} else { // its flows are pairs of network protocols
			meter := startBeside(t, exec.Command("rtfm", append(args, "--snmp", "127.0.0.1:"+freePort(t))...))
			client.wait(20*time.Second, func(printed string) bool { return strings.Count(printed, "\n") > 2 })
			meter.signal(syscall.SIGTERM)
			meter.exit(20 * time.Second)
		}
		client.cmd.Process.Kill()
	}
}

// TestFeedNumPy has the program with NumPy read a feed, and wants the packets that rtfm
// feed tells.
func TestFeedNumPy(t *testing.T) {
	t.Parallel()
	python := tracetest.Require(t, "pandas") // and so with NumPy
	_, numpy := feedClients(t)
	_, packets := firstTen(t)
	file := filepath.Join(t.TempDir(), "x.ipfix")
	succeed(t, "run", "-q", "-r", "@flows", "--feed", "file:"+file, sample)
	out, err := exec.Command(python, pythonFile(t, numpy+`
import sys
b = open(sys.argv[1], "rb").read()
while b:
    size = struct.unpack_from(">H", b, 2)[0]
    p = packets(b[:size])
    for x, time in zip(p, seconds(p)): print("%016x %.6f %d %d %d" % (x["flow"], time, x["octets"], x["flags"], x["back"]))
    b = b[size:]
`), file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var want strings.Builder
	for _, p := range packets {
		back := 0
		if p.Direction == "from" {
			back = 1
		}
		fmt.Fprintf(&want, "%s %.6f %d %d %d\n", p.FlowID, float64(p.TimeNs)/1e9, p.Octets, p.TCPFlags, back)
	}
	if string(out) != want.String() {
		t.Errorf("the program prints\n%s\nwant\n%s", out, want.String())
	}
}
