package acceptance

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// natsSpace is a server of NATS in a network namespace of its own.
type natsSpace struct {
	space, link, host string
	config, program   string
	running           *process
}

// newNATSSpaces starts a cluster of three servers, each of which can be cut off from the
// others and from the test.
func newNATSSpaces(t *testing.T) (all []*natsSpace) {
	t.Helper()
	program, dir := serverProgram(t, "nats-server"), t.TempDir()
	tracetest.Run(t, "ip link add br0 type bridge")
	tracetest.Run(t, "ip addr add 192.0.2.9/24 dev br0")
	tracetest.Run(t, "ip link set br0 up")
	for i := range 3 {
		n := &natsSpace{
			space: fmt.Sprintf("rtfm-nats-%d-%d", os.Getpid(), i), link: fmt.Sprintf("v%d", i), host: fmt.Sprintf("192.0.2.%d", 11+i),
			config: filepath.Join(dir, fmt.Sprint(i, ".conf")), program: program,
		}
		tracetest.Run(t, "ip netns add "+n.space)
		t.Cleanup(func() { do("ip netns del " + n.space) })
		tracetest.Run(t, fmt.Sprintf("ip link add %s type veth peer name eth0 netns %s", n.link, n.space))
		tracetest.Run(t, fmt.Sprintf("ip link set %s master br0 up", n.link))
		for _, command := range []string{"link set lo up", "link set eth0 up", "addr add " + n.host + "/24 dev eth0"} {
			tracetest.Run(t, "ip -n "+n.space+" "+command)
		}
		putFile(t, n.config, fmt.Sprintf("server_name: n%d\nlisten: \"%s:4222\"\nhttp: \"%s:8222\"\n"+
			"jetstream { store_dir: %q, sync_interval: always }\n"+
			"cluster { name: c, listen: \"%s:6222\", routes: [ \"nats-route://192.0.2.11:6222\", \"nats-route://192.0.2.12:6222\", \"nats-route://192.0.2.13:6222\" ] }\n",
			i, n.host, n.host, filepath.Join(dir, fmt.Sprint(i)), n.host))
		all = append(all, n)
	}
	for _, n := range all {
		n.start(t)
	}
	for _, n := range all {
		n.ready(t)
	}
	return all
}

func (n *natsSpace) start(t *testing.T) {
	t.Helper()
	n.running = startBeside(t, exec.Command("ip", "netns", "exec", n.space, n.program, "-c", n.config))
}

// ready waits until the server says that all its streams are well. It asks by the test's
// goroutine: others have no network of the test's.
func (n *natsSpace) ready(t *testing.T) {
	t.Helper()
	n.running.wait(2*time.Minute, func(string) bool {
		c, err := net.DialTimeout("tcp", n.host+":8222", time.Second)
		if err != nil {
			return false
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(5 * time.Second))
		fmt.Fprintf(c, "GET /healthz HTTP/1.0\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		return err == nil && resp.StatusCode == http.StatusOK
	})
}

// TestNATSFaults has three servers be killed or cut off, one after the other, as a run sends
// what it counts in each second: the stream has what the run's file has, each row once.
func TestNATSFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("races are not to be found in servers")
	}
	serverProgram(t, "nats-server") // built with the network that there is
	tracetest.Network(t)
	nodes := newNATSSpaces(t)
	dir := t.TempDir()
	file, spool := filepath.Join(dir, "a.json"), filepath.Join(dir, "spool")
	run := exec.Command("rtfm", "run", "-r", "@conversations", "-T", "1", "--json", "-F", file, "--spool", spool, "--export-grace", "300",
		"--export", "nats://192.0.2.11,192.0.2.12,192.0.2.13/FLOWS?create&replicas=3&timeout=5s", "-")
	packets, err := run.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := startBeside(t, run)
	done := make(chan struct{})
	go pacedFlows(packets, done)

	r, killed, cut := rand.New(rand.NewPCG(8, 1)), 0, 0
	for end := time.Now().Add(lasting(t, 0, 2*time.Minute)); killed < 1 || cut < 1 || time.Now().Before(end); {
		n, away := nodes[(killed+cut)%3], time.Duration(r.IntN(2000))*time.Millisecond
		if tracetest.Long() {
			away *= 10 // longer than the exporter waits, and than servers do for each other
		}
		if killed > cut || r.IntN(2) == 0 && cut <= killed {
			cut++
			tracetest.Run(t, "ip link set "+n.link+" down")
			time.Sleep(away)
			tracetest.Run(t, "ip link set "+n.link+" up")
		} else {
			killed++
			n.running.signal(syscall.SIGKILL)
			<-n.running.ended
			time.Sleep(away)
			n.start(t)
		}
		n.ready(t)
		select {
		case <-p.ended:
			t.Fatalf("the run has ended: %v", p.err)
		default:
		}
	}
	close(done)
	select {
	case <-p.ended:
	case <-time.After(6 * time.Minute):
		t.Fatal("the run does not end")
	}
	if p.err != nil {
		t.Errorf("the run has ended: %v", p.err)
	}
	read := exec.Command(serverProgram(t, "natsread"), "nats://"+nodes[0].host+":4222", "FLOWS")
	var stream, errs bytes.Buffer
	read.Stdout, read.Stderr = &stream, &errs
	if err := read.Run(); err != nil {
		t.Fatalf("%v: %s", err, &errs)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	collections := strings.Count(string(text), `{"record":"end"`)
	got := readRows(t, stream.String())
	got.compare(t, file, collections)
	if n := got.twice(); n > 0 {
		t.Errorf("%d rows are there twice", n)
	}
	t.Logf("%d kills, %d times cut off, %d collections, %d flows", killed, cut, collections, len(got.flows))
}
