package acceptance

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
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

// startZooKeeper starts Debian's ZooKeeper, and returns its address.
func startZooKeeper(t *testing.T) string {
	t.Helper()
	const jars = "/usr/share/java/"
	if _, err := os.Stat(jars + "zookeeper.jar"); err != nil {
		tracetest.Missing(t, "zookeeper", err)
	}
	java, folder, address := tracetest.Require(t, "java"), t.TempDir(), tracetest.Address(t, "tcp")
	_, port, _ := strings.Cut(address, ":")
	config := filepath.Join(folder, "zoo.cfg")
	text := "tickTime=500\ndataDir=" + folder + "/data\nclientPort=" + port + "\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var path []string
	for _, name := range []string{"zookeeper", "zookeeper-jute", "slf4j-api", "slf4j-nop", "netty-all", "snappy-java", "metrics-core"} {
		path = append(path, jars+name+".jar")
	}
	cmd := exec.Command(java, "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", strings.Join(path, ":"),
		"org.apache.zookeeper.server.ZooKeeperServerMain", config)
	p := startBeside(t, cmd)
	for end := time.Now().Add(60 * time.Second); !answersZooKeeper(address); time.Sleep(20 * time.Millisecond) {
		select {
		case <-p.ended:
			t.Fatalf("ZooKeeper has ended: %v", p.err)
		default:
		}
		if time.Now().After(end) {
			t.Fatal("no ZooKeeper")
		}
	}
	return address
}

// answersZooKeeper reports whether a ZooKeeper serves.
func answersZooKeeper(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second))
	io.WriteString(conn, "srvr")
	answer, _ := io.ReadAll(conn)
	return strings.Contains(string(answer), "Mode: standalone")
}

// newReplicas starts three servers that keep tables together.
func newReplicas(t *testing.T) (all [3]*clickHouse) {
	t.Helper()
	tracetest.Require(t, "clickhouse-server")
	_, keeper, _ := strings.Cut(startZooKeeper(t), ":")
	for i := range all {
		_, port, _ := strings.Cut(tracetest.Address(t, "tcp"), ":")
		_, native, _ := strings.Cut(tracetest.Address(t, "tcp"), ":")
		all[i] = newClickHouse(t, `<tcp_port>`+native+`</tcp_port><interserver_http_host>127.0.0.1</interserver_http_host><interserver_http_port>`+port+`</interserver_http_port>`+
			`<zookeeper><node><host>127.0.0.1</host><port>`+keeper+`</port></node><session_timeout_ms>5000</session_timeout_ms></zookeeper>`+
			fmt.Sprintf(`<macros><shard>1</shard><replica>r%d</replica></macros>`, i+1))
		all[i].start(t)
		all[i].query(t, "CREATE DATABASE net")
	}
	return all
}

// countFlows returns how many flows each collection of a file has, by the end of its
// interval, and what they sum up to.
func countFlows(t *testing.T, file string) (flows map[string]string, total, octets uint64) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	flows = map[string]string{}
	end, n := json.Number(""), 0
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var row struct {
			Record                         string
			EndNs                          json.Number
			DeltaToOctets, DeltaFromOctets uint64
		}
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		switch row.Record {
		case "start":
			end, n = row.EndNs, 0
		case "flow":
			n++
			total++
			octets += row.DeltaToOctets + row.DeltaFromOctets
			flows[end.String()] = fmt.Sprint(n)
		}
	}
	return flows, total, octets
}

// watch polls the replicas' views, one after the other, until it is told to stop: each
// collection has all its flows, or none. It returns how often it has seen some.
func watch(ctx context.Context, t *testing.T, all []*clickHouse, want map[string]string) (seen int) {
	for ctx.Err() == nil {
		for _, c := range all {
			time.Sleep(50 * time.Millisecond) // others have something to do, too
			answer, err := c.ask(ctx, "SELECT IntervalEndNs, count() FROM net.flows_whole GROUP BY IntervalEndNs")
			if err != nil {
				continue // it is away
			}
			for line := range strings.Lines(answer) {
				seen++
				if end, n, _ := strings.Cut(strings.TrimSpace(line), "\t"); want[end] != n {
					t.Errorf("the view has %s flows of %s, the file %s", n, end, want[end])
				}
			}
		}
	}
	return seen
}

// passes waits until a replica has more collections than before, or a program has ended;
// false then.
func (c *clickHouse) passes(t *testing.T, before string, p *process) bool {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got, err := c.ask(t.Context(), "SELECT count() FROM net.collections FINAL"); err == nil && got != before {
			return true
		}
		select {
		case <-p.ended:
			return false
		default:
		}
	}
	t.Fatal("nothing comes")
	return false
}

// TestClickHouseReplicas sends collections to three replicas that are killed in turn, then
// all, as is who sends: what each has in the end is what the file has, and no view has ever
// shown a part of a collection. Sent again to another replica, nothing is there twice.
func TestClickHouseReplicas(t *testing.T) {
	if testing.Short() {
		t.Skip("mostly waits for servers that are killed")
	}
	t.Parallel()
	all := newReplicas(t)
	file := filepath.Join(t.TempDir(), "a.json")
	succeed(t, "run", "-q", "-r", "ruleset/examples/services.srl", "-T", "60", "--json", "-F", file, "traces/testdata/sample.pcap")
	want, total, octets := countFlows(t, file)
	send := func(order ...int) *process {
		var hosts []string
		for _, i := range order {
			hosts = append(hosts, all[i].address)
		}
		return startBeside(t, exec.Command("rtfm", "flows", "convert", "--export-grace", "120", file, "clickhouse://rtfm@"+strings.Join(hosts, ",")+
			"/net/flows?create=replicated&quorum=2&rows=5&timeout=20s&password-file="+all[0].passwordFile()))
	}
	sender := send(0, 1, 2)
	for _, c := range all {
		c.has(t, "SELECT count() FROM system.tables WHERE database = 'net' AND name = 'flows_whole'", "1")
	}
	ctx, stop := context.WithCancel(t.Context())
	seen := make(chan int)
	go func() { seen <- watch(ctx, t, all[:], want) }()
	defer func() {
		stop()
		if <-seen == 0 {
			t.Error("no view has shown anything")
		}
	}()
	kills := 2
	if tracetest.Long() {
		kills = 50
	}
	for n := range kills {
		victim, other := all[n%3], all[(n+1)%3]
		other.passes(t, other.query(t, "SELECT count() FROM net.collections FINAL"), sender)
		victim.kill()
		if n%2 == 1 {
			sender.signal(syscall.SIGKILL)
			<-sender.ended
		}
		select {
		case <-sender.ended:
			sender = send((n+1)%3, (n+2)%3, n%3)
		default:
		}
		victim.start(t)
	}
	for _, c := range all {
		c.kill()
	}
	for _, c := range all {
		c.start(t)
	}
	sender.succeeds(t)
	send(2, 1, 0).succeeds(t)
	sums := fmt.Sprintf("%d\t%d", total, octets)
	for _, c := range all {
		c.has(t, "SELECT count(), sum(DeltaToOctets + DeltaFromOctets) FROM net.flows_whole", sums)
		c.has(t, "SELECT count(), sum(DeltaToOctets + DeltaFromOctets) FROM net.flows", sums)
		c.has(t, "SELECT count() FROM net.collections", fmt.Sprint(len(want)))
	}
}

// has waits until a server gives an answer.
func (c *clickHouse) has(t *testing.T, statement, want string) {
	t.Helper()
	got, err := "", error(nil)
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got, err = c.ask(t.Context(), statement); err == nil && got == want {
			return
		}
	}
	t.Fatalf("%s: %q, %v, not %q", statement, got, err, want)
}

// succeeds waits until a program has ended well.
func (p *process) succeeds(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(4 * time.Minute):
		t.Fatalf("%q does not end", p.cmd.Args)
	}
	if p.err != nil {
		t.Fatalf("%q: %v", p.cmd.Args, p.err)
	}
}
