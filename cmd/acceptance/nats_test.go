package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// natsNode is a server of NATS.
type natsNode struct {
	config, monitor string // its file, and the address that tells of it
	address         string
	server          *exec.Cmd
	program         string
	out             bytes.Buffer
}

// newNATS makes a cluster of so many servers, or one, which are started by start. More is
// what else their configuration has.
func newNATS(t *testing.T, nodes int, more string) (all []*natsNode) {
	t.Helper()
	program, folder := serverProgram(t, "nats-server"), t.TempDir()
	var routes []string
	for range nodes {
		routes = append(routes, tracetest.Address(t, "tcp"))
	}
	for i := range nodes {
		n := &natsNode{
			config: filepath.Join(folder, fmt.Sprintf("n%d.conf", i)), monitor: tracetest.Address(t, "tcp"),
			address: tracetest.Address(t, "tcp"), program: program,
		}
		text := fmt.Sprintf("server_name: n%d\nlisten: %q\nhttp: %q\n%s\n", i, n.address, n.monitor, more)
		if !strings.Contains(more, "jetstream") {
			text += fmt.Sprintf("jetstream { store_dir: %q, sync_interval: always }\n", filepath.Join(folder, fmt.Sprint(i)))
		}
		if nodes > 1 {
			text += fmt.Sprintf("cluster { name: c, listen: %q, routes: [ \"nats-route://%s\" ] }\n", routes[i], strings.Join(routes, `", "nats-route://`))
		}
		if err := os.WriteFile(n.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
		t.Cleanup(n.kill)
	}
	return all
}

// start starts the server.
func (n *natsNode) start(t *testing.T) {
	t.Helper()
	n.server = exec.CommandContext(t.Context(), n.program, "-c", n.config)
	n.out.Reset()
	n.server.Stdout, n.server.Stderr, n.server.WaitDelay = &n.out, &n.out, time.Second
	if err := n.server.Start(); err != nil {
		t.Fatal(err)
	}
}

// ready waits until the server says that all its streams are well.
func (n *natsNode) ready(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get("http://" + n.monitor + "/healthz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
			err = fmt.Errorf("%s", resp.Status)
		}
		if time.Now().After(end) {
			n.kill()
			t.Fatalf("%v: %s", err, &n.out)
		}
	}
}

// kill kills the server as a power failure would.
func (n *natsNode) kill() {
	if n.server != nil {
		n.server.Process.Kill()
		n.server.Wait()
		n.server = nil
	}
}

// messages returns how many messages a server has in its streams.
func (n *natsNode) messages() int {
	resp, err := http.Get("http://" + n.monitor + "/jsz")
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	var told struct{ Messages int }
	json.NewDecoder(resp.Body).Decode(&told)
	return told.Messages
}

// stream returns what a stream holds, as another program reads it.
func (n *natsNode) stream(t *testing.T, name string) string {
	t.Helper()
	read := exec.CommandContext(t.Context(), serverProgram(t, "natsread"), "nats://"+n.address, name)
	var errs bytes.Buffer
	read.Stderr = &errs
	out, err := read.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &errs)
	}
	return string(out)
}

// TestNATS sends collections to three servers, of which one is killed meanwhile, and then
// all: the stream has what the file has, each message once.
func TestNATS(t *testing.T) {
	if testing.Short() {
		t.Skip("races are not to be found in servers")
	}
	t.Parallel()
	nodes := newNATS(t, 3, "")
	var hosts, monitors []string
	for _, n := range nodes {
		n.start(t)
		hosts, monitors = append(hosts, n.address), append(monitors, n.monitor)
	}
	for _, n := range nodes {
		n.ready(t)
	}
	file := filepath.Join(t.TempDir(), "a.json")
	succeed(t, "run", "-q", "-r", "@services", "-r", "@conversations", "-T", "1", "--json", "-F", file, "traces/testdata/sample.pcap")
	place := "nats://" + strings.Join(hosts, ",") + "/FLOWS?create&replicas=3&timeout=5s&monitor=" + strings.Join(monitors, ",")
	sent := make(chan int)
	var errs bytes.Buffer
	go func() {
		sent <- runMain([]string{"flows", "convert", "--export-grace", "120", file, place}, nil, io.Discard, &errs)
	}()
	until := func(messages int) {
		for end := time.Now().Add(time.Minute); slices.MaxFunc(nodes, func(a, b *natsNode) int { return a.messages() - b.messages() }).messages() < messages; time.Sleep(2 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("no %d messages\n%s", messages, &errs)
			}
		}
	}
	until(20)
	nodes[0].kill() // the exporter's first server
	until(60)
	for _, n := range nodes {
		n.kill()
	}
	for _, n := range nodes {
		n.start(t)
	}
	if status := <-sent; status != 0 {
		t.Fatalf("exit status %d\n%s", status, &errs)
	}
	t.Logf("%s", &errs)
	for _, n := range nodes {
		n.ready(t)
	}
	got := nodes[1].stream(t, "FLOWS")
	r := readRows(t, got)
	if n := r.twice(); n > 0 {
		t.Errorf("%d rows are there twice", n)
	}
	r.compare(t, file, 272)
	heads := withoutRows(got)
	for _, want := range []string{"rtfm.flows.1.sample_pcap.@services ", "rtfm.flows.1.sample_pcap.@conversations ", "rtfm.collections.1.sample_pcap "} {
		if !slices.ContainsFunc(heads, func(head string) bool { return strings.HasPrefix(head, want) && strings.HasSuffix(head, " zstd") }) {
			t.Errorf("no message has the subject %s", want)
		}
	}
	succeed(t, "flows", "convert", file, place) // again
	if again := nodes[2].stream(t, "FLOWS"); again != got {
		t.Errorf("%d messages, and when all were sent again %d", len(heads), len(withoutRows(again)))
	}
}
