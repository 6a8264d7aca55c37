package acceptance

import (
	"bufio"
	"bytes"
	"encoding/json"
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

// TestMark has the scorer of docs/classify say what the flows of a trace are, and nftables
// mark a flow: labels are in the flow data, the flow is in the set, and what the kernel
// sends of it has the DSCP.
func TestMark(t *testing.T) {
	nft, python := tracetest.Require(t, "nft"), tracetest.Require(t, "pandas")
	tracetest.Network(t)
	dir := t.TempDir()
	feed, flows, tree, socket := filepath.Join(dir, "x.ipfix"), filepath.Join(dir, "flows.jsonl"), filepath.Join(dir, "tree.json"), filepath.Join(dir, "scorer")
	// A tree of one question: TCP and what is below 7 is "other", UDP is "quic" if its
	// first packet is long.
	if err := os.WriteFile(tree, []byte(`{"feature":16,"limit":6.5,"below":{"label":"other","share":1},
		"above":{"feature":0,"limit":70,"below":{"label":"other","share":0.75},"above":{"label":"quic","share":0.5}}}`), 0o666); err != nil {
		t.Fatal(err)
	}
	tracetest.Run(t, nft+" -f docs/classify/mark.nft")
	startScorer(t, python, tree, socket, "--nft", "quic")
	meterInTime(t, "run", "-q", "--json", "-r", "@flows", "--feed", "file:"+feed, sample)
	told := succeed(t, "feed", "--json", "-F", flows, "--features", "unix:"+socket, feed)
	marked := labelledFlow(t, flows, told)

	for _, element := range []string{
		marked.SourcePeerAddress + " . " + marked.source() + " . " + marked.DestPeerAddress + " . " + marked.dest() + " . udp timeout 1m",
		marked.DestPeerAddress + " . " + marked.dest() + " . " + marked.SourcePeerAddress + " . " + marked.source() + " . udp timeout 1m",
	} {
		waitForElement(t, nft+" list set inet rtfm quic4", element)
	}
	if tos := sentAs(t, marked.SourcePeerAddress, marked.source(), marked.DestPeerAddress, marked.dest()); tos != 8<<2 {
		t.Errorf("a packet of the flow is sent with traffic class %#x", tos)
	}
	if tos := sentAs(t, marked.SourcePeerAddress, marked.source(), marked.DestPeerAddress, "9"); tos != 0 {
		t.Errorf("a packet of another flow is sent with traffic class %#x", tos)
	}
}

// waitForElement waits until what a command prints has an element of a set: nftables has
// its own time.
func waitForElement(t *testing.T, command, element string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		set := tracetest.Run(t, command)
		if strings.Contains(set, element) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the set lacks %s:\n%s", element, set)
		}
	}
}

// labelled is a row of flow data that a scorer has labelled.
type labelled struct {
	Record, FlowID, Label                string
	Score                                float64
	SourcePeerAddress, DestPeerAddress   string
	SourceTransType                      int
	SourceTransAddress, DestTransAddress json.Number
}

func (l *labelled) source() string { return l.SourceTransAddress.String() }
func (l *labelled) dest() string   { return l.DestTransAddress.String() }

// labelledFlow wants each flow have a label, that told among all records too, and returns
// one that is to be marked.
func labelledFlow(t *testing.T, flows, told string) (marked labelled) {
	t.Helper()
	text, err := os.ReadFile(flows)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range bytes.Lines(text) {
		var l labelled
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatal(err)
		}
		want := map[string]float64{"other": 1, "quic": 0.5}[l.Label]
		if l.Score != want && (l.Label != "other" || l.Score != 0.75) || (l.SourceTransType <= 6) != (l.Score == 1) {
			t.Errorf("label %q, score %v: %s", l.Label, l.Score, line)
		}
		if l.Label == "quic" && strings.Count(l.SourcePeerAddress, ".") == 3 {
			marked = l
		}
		if !strings.Contains(told, `"FlowID":"`+l.FlowID+`","Label":"`+l.Label+`","Score":`) {
			t.Errorf("the label of %s is not told", l.FlowID)
		}
		n++
	}
	if n < 50 || marked.FlowID == "" {
		t.Fatalf("%d flows, marked is %+v", n, marked)
	}
	return marked
}

// startScorer starts the scorer and waits until it listens.
func startScorer(t *testing.T, python, tree, socket string, args ...string) {
	t.Helper()
	cmd := withoutBytecode(exec.Command(python, append([]string{"docs/classify/scorer.py", tree, socket}, args...)...))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if errs.Len() > 0 {
			t.Errorf("the scorer has printed\n%s", &errs)
		}
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "listening\n" {
		t.Fatalf("the scorer has printed %q, %v", line, err)
	}
}

// sentAs has the kernel send a datagram from one address and port to another, and returns
// with which type of service it leaves at ea.
func sentAs(t *testing.T, from, port, to, toPort string) byte {
	t.Helper()
	for _, command := range []string{
		"ip addr replace " + from + "/32 dev ea", "ip route replace " + to + "/32 dev ea src " + from,
		"ip neigh replace " + to + " lladdr 02:00:00:00:00:01 dev ea nud permanent",
	} {
		tracetest.Run(t, command)
	}
	const all = 0x0300 // ETH_P_ALL in network order
	fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, all)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := syscall.Bind(fd, &syscall.SockaddrLinklayer{Protocol: all, Ifindex: tracetest.Index(t, "eb")}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Sec: 10}); err != nil {
		t.Fatal(err)
	}
	local, err := net.ResolveUDPAddr("udp4", from+":"+port)
	if err != nil {
		t.Fatal(err)
	}
	d := net.Dialer{LocalAddr: local, Timeout: 10 * time.Second}
	c, err := d.Dial("udp4", to+":"+toPort)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("marked?")); err != nil {
		t.Fatal(err)
	}
	frame := make([]byte, 2048)
	for {
		n, _, err := syscall.Recvfrom(fd, frame, 0)
		if err != nil {
			t.Fatal(err)
		}
		if n > 34 && frame[12] == 8 && frame[13] == 0 && bytes.HasSuffix(frame[:n], []byte("marked?")) {
			return frame[15]
		}
	}
}
