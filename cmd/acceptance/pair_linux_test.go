package acceptance

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"rtfm/meter/packet"
	"rtfm/ruleset/match"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// pairSide is one of the two meters of a pair, in a network namespace of its own.
type pairSide struct {
	space, socket, inside, outside string
	meter                          *exec.Cmd
	ended                          chan struct{}
}

// do runs a command of which nothing else is wanted.
func do(command string) error {
	words := strings.Fields(command)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %v: %s", command, err, out)
	}
	return nil
}

// newPairSide makes a namespace to which what comes at eb is mirrored.
func newPairSide(t *testing.T, dir string, number int) *pairSide {
	s := &pairSide{
		space: fmt.Sprintf("rtfm-%d-%d-%s", os.Getpid(), number, filepath.Base(dir)), socket: filepath.Join(dir, fmt.Sprint("m", number)),
		inside: fmt.Sprint("m", number), outside: fmt.Sprint("a", number),
	}
	tracetest.Run(t, "ip netns add "+s.space)
	t.Cleanup(func() { do("ip netns del " + s.space) })
	for _, all := range []string{"all", "default"} {
		tracetest.Run(t, "ip netns exec "+s.space+" sysctl -qw net.ipv6.conf."+all+".disable_ipv6=1")
	}
	tracetest.Run(t, fmt.Sprintf("ip link add %s type veth peer name %s netns %s", s.outside, s.inside, s.space))
	tracetest.Run(t, fmt.Sprintf("ip link set %s up", s.outside))
	tracetest.Run(t, fmt.Sprintf("ip -n %s link set %s up", s.space, s.inside))
	return s
}

// start starts the meter, and returns when it captures.
func (s *pairSide) start() error {
	s.meter = exec.Command("ip", "netns", "exec", s.space, "rtfm", "run", "-q", "-i", s.inside, "-r", everyFlow,
		"--feed", "unix:"+s.socket, "--feed-digest", "-F", "/dev/null", "-T", "1")
	if err := s.meter.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	s.ended = ended
	go func(meter *exec.Cmd) {
		meter.Wait()
		close(ended)
	}(s.meter)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		out, err := exec.Command("ip", "netns", "exec", s.space, "ss", "-0nb").Output()
		if err != nil {
			return err
		}
		if accepting.Match(out) {
			return nil
		}
	}
	return fmt.Errorf("%q does not capture", s.meter.Args)
}

func (s *pairSide) signal(sig syscall.Signal) error { return s.meter.Process.Signal(sig) }

// moreBacklog has the kernel keep more of what comes in a burst until it looks at it: of
// the default, 1,000 packets of all interfaces, some may be lost before both meters. It is
// to be called before the test has a network of its own.
func moreBacklog(t *testing.T) {
	const path, enough = "/proc/sys/net/core/netdev_max_backlog", "100000"
	before, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(enough), 0)
	}
	if err != nil {
		t.Logf("bursts may be lost before the meters: %v", err)
		return
	}
	t.Cleanup(func() {
		done := make(chan error)
		go func() { done <- os.WriteFile(path, before, 0) }() // it is not there in the test's namespace
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A handover is what is done to a meter in a pair, and what came of it.
type handover struct {
	lost, doubled, told, sent int
	gap, delay                time.Duration // the longest between two packets told, and until one was told
	receiver                  string        // what it has said
}

// failures are what is done to the first meter, and to have it go on, if it does.
var failures = map[string][2]func(*pairSide) error{
	"kill -9": {
		func(s *pairSide) error { return s.signal(syscall.SIGKILL) },
		func(s *pairSide) error { <-s.ended; return s.start() },
	},
	"SIGSTOP": {
		func(s *pairSide) error { return s.signal(syscall.SIGSTOP) },
		func(s *pairSide) error { return s.signal(syscall.SIGCONT) },
	},
	"link down": {
		func(s *pairSide) error { return do(fmt.Sprintf("ip -n %s link set %s down", s.space, s.inside)) },
		func(s *pairSide) error { return do(fmt.Sprintf("ip -n %s link set %s up", s.space, s.inside)) },
	},
	"namespace deleted": {
		func(s *pairSide) error {
			do(fmt.Sprintf("ip -n %s link del %s", s.space, s.inside))
			s.signal(syscall.SIGKILL)
			return do("ip netns del " + s.space)
		},
		func(*pairSide) error { return nil },
	},
}

// restart has another receiver go on where the first one is when it is told to end.
const restart = "receiver restarted"

// pairReceiver is `rtfm feed --pair`.
type pairReceiver struct {
	cmd   *exec.Cmd
	told  bytes.Buffer // on standard error
	lines io.ReadCloser
}

func startPairReceiver(dir string, sides [2]*pairSide) (*pairReceiver, error) {
	r := &pairReceiver{cmd: exec.Command("rtfm", "feed", "-l", "unix:"+sides[0].socket, "-l", "unix:"+sides[1].socket,
		"--pair", "--pair-state", filepath.Join(dir, "state"), "--until-end", "--packets", "-")}
	r.cmd.Stderr = &r.told
	lines, err := r.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	r.lines = lines
	return r, r.cmd.Start()
}

// pairLines is when packets were told, by their digests.
type pairLines struct {
	digests map[uint32]int
	n       int
	last    time.Time
	gap     time.Duration
	delay   time.Duration
}

// listen reads lines of packets as they come.
func (h *pairLines) listen(from io.Reader) {
	lines := bufio.NewReaderSize(from, 1<<16)
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return
		}
		now := time.Now()
		if h.n > 0 {
			h.gap = max(h.gap, now.Sub(h.last))
		}
		h.last = now
		h.n++
		h.digests[uint32(memberOf(line, "Digest"))]++
		h.delay = max(h.delay, now.Sub(time.Unix(0, int64(memberOf(line, "TimeNs")))))
	}
}

// pairHandover sends so many packets past two meters, of which one fails meanwhile.
func pairHandover(t *testing.T, kind string, b tracetest.Blast, n int) handover {
	t.Helper()
	for _, tool := range []string{"ip", "tc", "ss", "sysctl"} {
		tracetest.Require(t, tool)
	}
	moreBacklog(t)
	tracetest.Network(t)
	dir, err := os.MkdirTemp("", "pair") // a local socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	var sides [2]*pairSide
	for i := range sides {
		sides[i] = newPairSide(t, dir, i+1)
	}
	tracetest.Run(t, "tc qdisc add dev eb clsact")
	tracetest.Run(t, "tc filter add dev eb ingress protocol all u32 match u32 0 0 action mirred egress mirror dev a1 action mirred egress mirror dev a2")

	receiver, err := startPairReceiver(dir, sides)
	if err != nil {
		t.Fatal(err)
	}
	h, finished := &pairLines{digests: make(map[uint32]int)}, make(chan *pairReceiver)
	go func(r *pairReceiver) {
		h.listen(r.lines)
		for {
			if r.cmd.Wait(); kind != restart || r != receiver {
				break
			}
			if r, err = startPairReceiver(dir, sides); err != nil {
				break
			}
			h.listen(r.lines)
		}
		finished <- r
	}(receiver)
	for _, s := range sides {
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			if _, err := os.Stat(s.socket); err == nil {
				break
			} else if time.Now().After(deadline) {
				t.Fatal(err)
			}
		}
		if err := s.start(); err != nil {
			t.Fatal(err)
		}
		defer func() { s.meter.Process.Kill() }()
	}
	failed := make(chan error, 1)
	length := time.Duration(n) * time.Second / time.Duration(b.Rate)
	go func() {
		time.Sleep(length / 3)
		if kind == restart {
			failed <- receiver.cmd.Process.Signal(syscall.SIGTERM)
			return
		}
		err := failures[kind][0](sides[0])
		time.Sleep(length / 3)
		if err == nil {
			err = failures[kind][1](sides[0])
		}
		failed <- err
	}()
	before := received(t, "eb")
	b.Send(t, "ea", "eb", n)
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	if arrived := received(t, "eb") - before; arrived != n {
		t.Fatalf("%d packets were mirrored, not %d", arrived, n)
	}
	for _, s := range sides {
		s.signal(syscall.SIGINT)
		select {
		case <-s.ended:
		case <-time.After(20 * time.Second):
			t.Fatal("a meter does not end")
		}
	}
	var last *pairReceiver
	select {
	case last = <-finished:
	case <-time.After(20 * time.Second):
		t.Fatal("the receiver does not end")
	}
	r := handover{told: h.n, sent: n, gap: h.gap, delay: h.delay, receiver: last.told.String()}
	if last != receiver {
		r.receiver = receiver.told.String() + r.receiver
	}
	var p match.Packet
	for i := range n {
		frame := b.Frame(i)
		packet.Decode(&p, traces.LinkEthernet, frame, uint32(len(frame)))
		h.digests[packet.Digest(&p)]--
	}
	for _, n := range h.digests {
		r.lost += max(-n, 0)
		r.doubled += max(n, 0)
	}
	return r
}

// TestPairHandover has one of two meters fail while numbered packets are sent past both:
// the receiver tells of each of them once, and proves it.
func TestPairHandover(t *testing.T) {
	kinds := []string{"kill -9", "SIGSTOP"}
	if tracetest.Long() {
		kinds = append(kinds, "link down", "namespace deleted", restart)
	}
	for _, kind := range kinds {
		t.Run(strings.ReplaceAll(kind, " ", "_"), func(t *testing.T) {
			r := pairHandover(t, kind, tracetest.Blast{Hosts: 50, Ports: 10, Rate: 20_000}, 30_000)
			if r.lost != 0 || r.doubled != 0 || r.told != r.sent || !strings.Contains(r.receiver, "nothing is missing") {
				t.Errorf("%d packets are lost, %d too many, %d told of %d:\n%s", r.lost, r.doubled, r.told, r.sent, r.receiver)
			}
			t.Logf("longest gap %v, longest delay %v\n%s", r.gap, r.delay, r.receiver)
		})
	}
}

// TestAngelPair has one of two meters fail again and again, and prints what the receiver
// tells beside what the ANGEL report has of its handover (IV, figures 22 to 24). See
// TestAngel.
func TestAngelPair(t *testing.T) {
	form := os.Getenv("RTFM_ANGEL")
	if form == "" {
		t.Skip("RTFM_ANGEL is not set")
	}
	const length = 3 // seconds
	repeats := 2
	if form == "long" {
		repeats = 20
	}
	var out bytes.Buffer
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "failure\tpps\ttimes\tsent\tlost\tdoubled\tlongest gap: median\tmost\tlongest delay\ttheirs\t")
	for _, kind := range []string{"kill -9", "SIGSTOP", "link down", "namespace deleted", restart} {
		for _, rate := range []int{200, 50_000} {
			var gaps []time.Duration
			sum := handover{}
			for i := range repeats {
				t.Run(fmt.Sprintf("%s/%d/%d", strings.ReplaceAll(kind, " ", "_"), rate, i), func(t *testing.T) {
					r := pairHandover(t, kind, tracetest.Blast{Hosts: 50, Ports: 10, Rate: rate}, length*rate)
					sum.sent, sum.lost, sum.doubled = sum.sent+r.sent, sum.lost+r.lost, sum.doubled+r.doubled
					sum.delay = max(sum.delay, r.delay)
					gaps = append(gaps, r.gap)
					if r.lost != 0 || r.doubled != 0 || r.gap > time.Second {
						t.Errorf("%d packets are lost, %d too many, longest gap %v:\n%s", r.lost, r.doubled, r.gap, r.receiver)
					}
				})
			}
			if len(gaps) == 0 { // they were not asked for
				continue
			}
			slices.Sort(gaps)
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%.0f ms\t%.0f ms\t%.0f ms\t512 lost, 2880 ms\t\n", kind, rate, len(gaps), sum.sent, sum.lost, sum.doubled,
				gaps[len(gaps)/2].Seconds()*1e3, gaps[len(gaps)-1].Seconds()*1e3, sum.delay.Seconds()*1e3)
		}
	}
	w.Flush()
	fmt.Printf("\nD. One of two meters fails (report IV: pings of 200 a second through the meter that stands by; packets that meters told of were not counted)\n\n%s\n", out.String())
}
