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
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rtfm/traces/tracetest"
)

// natsNode is a server of NATS.
type natsNode struct {
	config, monitor string // its file, and the address that tells of it
	address         string
	program         string
	running         *process // nil if it was not started, or killed
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
	}
	return all
}

// start starts the server.
func (n *natsNode) start(t *testing.T) {
	t.Helper()
	n.running = startBeside(t, exec.Command(n.program, "-c", n.config))
}

// ready waits until the server says that all its streams are well.
func (n *natsNode) ready(t *testing.T) {
	t.Helper()
	n.running.wait(time.Minute, func(string) bool {
		resp, err := http.Get("http://" + n.monitor + "/healthz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// kill kills the server as a power failure would.
func (n *natsNode) kill() {
	n.running.signal(syscall.SIGKILL)
	<-n.running.ended
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

// stream returns what a stream holds, as another program reads it, which may need
// credentials.
func (n *natsNode) stream(t *testing.T, name string, creds ...string) string {
	t.Helper()
	read := exec.CommandContext(t.Context(), serverProgram(t, "natsread"), append([]string{"nats://" + n.address, name}, creds...)...)
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

// TestNATSLogin: who may not send is told so, and whatever is wrong with a stream; nobody
// else gets what is for a server of another name.
func TestNATSLogin(t *testing.T) {
	if testing.Short() {
		t.Skip("races are not to be found in servers")
	}
	t.Parallel()
	dir := t.TempDir()
	cert, key, _ := writeCertificate(t, dir)
	right, wrong := filepath.Join(dir, "right"), filepath.Join(dir, "wrong")
	putFile(t, right, "xyzzy\n")
	putFile(t, wrong, "plugh\n")
	users := `authorization { users: [ { user: rtfm, password: xyzzy }, { user: reader, password: xyzzy, permissions: { publish: [ "$JS.API.>", "rtfm.flows.>" ] } } ] }`
	plain := startNATS(t, users)
	secure := startNATS(t, fmt.Sprintf("tls { cert_file: %q, key_file: %q }", cert, key))
	client, err := nats.Connect("nats://rtfm:xyzzy@" + plain.address)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	js, err := jetstream.New(client)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "OTHER", Subjects: []string{"rtfm.flows.>", "rtfm.collections.2.>"}}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "a.json")
	succeed(t, "run", "-q", "-r", "@services", "-T", "60", "--json", "-F", file, sampleTrace)
	user, password := "nats://rtfm@"+plain.address, "password-file="+right
	for url, want := range map[string]string{
		"nats://127.0.0.1:1/FLOWS?create":                       "connection refused",
		user + "/FLOWS?create&password-file=" + wrong:           "Authorization Violation",
		"nats://" + plain.address + "/FLOWS?create":             "Authorization Violation",
		user + "/FLOWS?" + password:                             "there is no stream FLOWS; ?create makes it",
		user + "/OTHER?" + password:                             "stream OTHER has no subject rtfm.collections.1.>",
		user + "/FLOWS?create&tls&" + password:                  "secure connection not available",
		"nats://" + secure.address + "/FLOWS?create":            "certificate signed by unknown authority",
		"nats://" + secure.address + "/FLOWS?create&ca=" + cert: "",
		strings.Replace("nats://"+secure.address+"/FLOWS?create&ca="+cert, "127.0.0.1", "localhost", 1): "wanted to match localhost",
		user + "/FLOWS?create&" + password: "",
	} {
		status, told := checkExports(t, `[{url: "`+url+`"}]`, true)
		if (status == 0) != (want == "") || !strings.Contains(strings.ToLower(told), strings.ToLower(want)) || strings.Contains(told, "plugh") {
			t.Errorf("%s: exit status %d\n%s", url, status, told)
		}
	}
	for _, name := range []string{"FLOWS"} {
		if _, err := js.Stream(t.Context(), name); err == nil {
			t.Errorf("a check has made stream %s", name)
		}
	}
	for _, c := range []struct {
		url, want string
		status    int
	}{
		{user + "/OTHER?" + password, "stopped: stream OTHER has no subject", 5},
		{user + "/OVERLAP?create&" + password, "stopped: stream OVERLAP: nats: API error: code=400", 5},
		{user + "/FLOWS?create&replicas=3&" + password, "stream FLOWS: nats: API error", 5},
	} {
		status, told := convert(file, c.url)
		if status != c.status || !strings.Contains(told, c.want) {
			t.Errorf("%s: exit status %d\n%s", c.url, status, told)
		}
	}
	if err := js.DeleteStream(t.Context(), "OTHER"); err != nil {
		t.Fatal(err)
	}
	if status, told := convert(file, user+"/FLOWS?create&"+password+"&monitor="+plain.monitor); status != 0 || strings.Contains(told, "synced") {
		t.Errorf("exit status %d\n%s", status, told)
	}
	status, told := convert(file, "nats://reader@"+plain.address+"/FLOWS?"+password)
	if status != 5 || !strings.Contains(told, `stopped: nats: permissions violation: Permissions Violation for Publish to "rtfm.collections.1.sample_pcap"`) {
		t.Errorf("exit status %d\n%s", status, told)
	}
	if status, told := convert(file, "nats://"+secure.address+"/FLOWS?create&tls&ca="+cert); status != 0 {
		t.Errorf("exit status %d\n%s", status, told)
	}
}

// startNATS starts one server.
func startNATS(t *testing.T, more string) *natsNode {
	t.Helper()
	n := newNATS(t, 1, more)[0]
	n.start(t)
	n.ready(t)
	return n
}

// convert sends a file to a place, and returns the exit status and what was printed.
func convert(file, url string) (status int, printed string) {
	var out bytes.Buffer
	status = runMain([]string{"flows", "convert", "--export-grace", "2", file, url}, nil, &out, &out)
	return status, out.String()
}

// TestNATSLimits: messages are as large as the server takes, a row that it does not take
// is told, and so is what servers and streams could lose.
func TestNATSLimits(t *testing.T) {
	if testing.Short() {
		t.Skip("races are not to be found in servers")
	}
	t.Parallel()
	dir := t.TempDir()
	file, creds := filepath.Join(dir, "a.json"), filepath.Join(dir, "creds")
	succeed(t, "run", "-q", "-r", "@conversations", "-T", "60", "--json", "-F", file, sampleTrace)
	store := func(sync string) string { return fmt.Sprintf("jetstream { store_dir: %q, %s }\n", t.TempDir(), sync) }
	operator := output(t, serverProgram(t, "natsoperator"), creds)
	small := startNATS(t, "max_payload: 4096\n"+operator+store("sync_interval: 30s"))
	status, told := convert(file, "nats://"+small.address+"/FLOWS?create&compression=none&creds="+creds+"&monitor="+small.monitor)
	if want := "note: stream FLOWS is not synced at each message: " + small.monitor + " has sync_interval 30s, not always"; status != 0 || !strings.Contains(told, "sync_interval 30s") {
		t.Errorf("exit status %d, want %s\n%s", status, want, told)
	}
	got := small.stream(t, "FLOWS", creds)
	if heads := withoutRows(got); len(heads) < 20 {
		t.Errorf("%d messages", len(heads))
	}
	readRows(t, got).compare(t, file, 5)

	least := startNATS(t, "max_payload: 1000\n")
	status, told = convert(file, "nats://"+least.address+"/FLOWS?create&compression=none")
	if status != 5 || !strings.Contains(told, "stopped: a message of ") || !strings.Contains(told, "takes 1000") || !strings.Contains(told, "sync_interval: always") {
		t.Errorf("exit status %d\n%s", status, told)
	}
	client, err := nats.Connect("nats://" + least.address)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	js, err := jetstream.New(client)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), "FLOWS"); err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "MEMORY", Subjects: []string{"rtfm.>"}, Storage: jetstream.MemoryStorage}); err != nil {
		t.Fatal(err)
	}
	if status, told = convert(file, "nats://"+least.address+"/MEMORY"); status != 0 || !strings.Contains(told, "stream MEMORY is in memory") {
		t.Errorf("exit status %d\n%s", status, told)
	}
	none := startNATS(t, "max_payload: 4096 # no jetstream\n")
	if status, told = convert(file, "nats://"+none.address+"/FLOWS?create"); status != 5 || !strings.Contains(told, "nats: ") {
		t.Errorf("exit status %d\n%s", status, told)
	}
}
