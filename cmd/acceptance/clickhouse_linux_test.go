package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// clickHouse is a server of its own, of Debian's old version.
type clickHouse struct {
	program, folder, address string
	server                   *exec.Cmd
}

// newClickHouse returns one that is not started, whose configuration has more than it needs.
func newClickHouse(t *testing.T, more string) *clickHouse {
	c := &clickHouse{program: tracetest.Require(t, "clickhouse-server"), folder: t.TempDir(), address: tracetest.Address(t, "tcp")}
	_, port, _ := strings.Cut(c.address, ":")
	for name, text := range map[string]string{
		"config.xml": `<yandex><logger><level>warning</level><console>1</console></logger><http_port>` + port + `</http_port><listen_host>127.0.0.1</listen_host>` +
			`<path>` + c.folder + `/data/</path><tmp_path>` + c.folder + `/tmp/</tmp_path><users_config>users.xml</users_config><mark_cache_size>5368709</mark_cache_size>` +
			`<default_profile>default</default_profile><default_database>default</default_database>` + more + `</yandex>`,
		"users.xml": `<yandex><profiles><default></default></profiles><users><rtfm><password>xyzzy</password><networks><ip>127.0.0.1</ip></networks>` +
			`<profile>default</profile><quota>default</quota></rtfm></users><quotas><default></default></quotas></yandex>`,
		"password": "xyzzy\n", "wrong": "plugh\n",
	} {
		if err := os.WriteFile(filepath.Join(c.folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(c.kill)
	return c
}

// secure has the server speak TLS at a port, too.
func (c *clickHouse) secure(t *testing.T, port, certificate, key string) {
	t.Helper()
	file := filepath.Join(c.folder, "config.xml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	more := `<https_port>` + port + `</https_port><openSSL><server><certificateFile>` + certificate + `</certificateFile><privateKeyFile>` + key +
		`</privateKeyFile><verificationMode>none</verificationMode></server></openSSL></yandex>`
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), "</yandex>", more, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// passwordFile is the name of the file with the password of user rtfm.
func (c *clickHouse) passwordFile() string { return filepath.Join(c.folder, "password") }

// start starts the server and waits until it answers.
func (c *clickHouse) start(t *testing.T) {
	t.Helper()
	c.server = exec.CommandContext(t.Context(), c.program, "--config-file="+filepath.Join(c.folder, "config.xml"))
	var out bytes.Buffer
	c.server.Stdout, c.server.Stderr, c.server.WaitDelay = &out, &out, time.Second
	if err := c.server.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get("http://" + c.address + "/")
		if err == nil {
			resp.Body.Close()
			return
		}
		if time.Now().After(end) {
			c.kill()
			t.Fatalf("no server: %v\n%s", err, &out)
		}
	}
}

// kill kills the server as a power failure would.
func (c *clickHouse) kill() {
	if c.server != nil {
		c.server.Process.Kill()
		c.server.Wait()
		c.server = nil
	}
}

// query returns the answer to a statement.
func (c *clickHouse) query(t *testing.T, statement string) string {
	t.Helper()
	answer, err := c.ask(t.Context(), statement)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return answer
}

// ask is query of a server that may be away.
func (c *clickHouse) ask(ctx context.Context, statement string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.address+"/", strings.NewReader(statement))
	if err != nil {
		return "", err
	}
	req.Header.Set("X-ClickHouse-User", "rtfm")
	req.Header.Set("X-ClickHouse-Key", "xyzzy")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, answer)
	}
	return strings.TrimSpace(string(answer)), err
}

// TestClickHouse sends collections to a real server that is killed and away in between,
// each twice: what is in the tables is what the file has, once.
func TestClickHouse(t *testing.T) {
	t.Parallel()
	c := newClickHouse(t, "")
	c.start(t)
	c.query(t, "CREATE DATABASE net")
	file := filepath.Join(t.TempDir(), "a.json")
	place := "clickhouse://rtfm@" + c.address + "/net/flows?create&password-file=" + c.passwordFile()
	succeed(t, "run", "-q", "-r", "ruleset/examples/classify-features.srl", "-T", "150", "--json", "-F", file, "--export", place, "traces/testdata/sample.pcap")
	c.kill()
	sent := make(chan int)
	var errs bytes.Buffer
	go func() {
		sent <- runMain([]string{"flows", "convert", "--export-grace", "60", file, place}, nil, io.Discard, &errs)
	}()
	c.start(t)
	if status := <-sent; status != 0 {
		t.Fatalf("exit status %d\n%s", status, &errs)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flows, collections := 0, 0
	var octets, added, metered uint64
	for line := range bytes.Lines(text) {
		var row struct {
			Octets                                               uint64
			Record                                               string
			ToOctets, FromOctets, DeltaToOctets, DeltaFromOctets uint64
		}
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		switch row.Record {
		case "flow":
			flows++
			octets += row.ToOctets + row.FromOctets
			added += row.DeltaToOctets + row.DeltaFromOctets
		case "end":
			collections++
			metered += row.Octets
		}
	}
	want := fmt.Sprintf("%d\t%d\t%d", flows, octets, added)
	if got := c.query(t, "SELECT count(), sum(ToOctets + FromOctets), sum(DeltaToOctets + DeltaFromOctets) FROM net.flows FINAL"); got != want || collections != 2 {
		t.Errorf("the table has %s, and the file %s in %d collections", got, want, collections)
	}
	if got := c.query(t, "SELECT count(), sum(ToOctets + FromOctets), sum(DeltaToOctets + DeltaFromOctets) FROM net.flows_whole"); got != want {
		t.Errorf("the view has %s, and the file %s", got, want)
	}
	want = fmt.Sprintf("%d\t%d\t%d", collections, flows, metered)
	if got := c.query(t, "SELECT count(), sum(Flows), sum(Octets) FROM net.collections FINAL"); got != want {
		t.Errorf("the table of collections has %s, not %s", got, want)
	}
	c.query(t, "CREATE TABLE net.less (Schema UInt8, Meter String) ENGINE = Memory")
	for place, want := range map[string]string{
		"/net/less?password-file=" + c.folder + "/password": "stopped: table net.less has no column Boot; rtfm flows schema clickhouse tells all\n",
		"/net/flows?password-file=" + c.folder + "/wrong":   "stopped: Code: 193",
	} {
		var errs bytes.Buffer
		if status := runMain([]string{"flows", "convert", file, "clickhouse://rtfm@" + c.address + place}, nil, io.Discard, &errs); status != 5 ||
			!strings.Contains(errs.String(), want) || strings.Contains(errs.String(), "plugh") {
			t.Errorf("%s: exit status %d\n%s", place, status, &errs)
		}
	}
	c.check(t)
}

// check checks places of the server: nothing is made, and what is wrong is told.
func (c *clickHouse) check(t *testing.T) {
	t.Helper()
	c.query(t, "CREATE TABLE net.flows2 AS net.flows")
	before := c.query(t, "SELECT count(), sum(ToOctets) FROM net.flows") + c.query(t, "SHOW TABLES FROM net")
	right, wrong := "&password-file="+c.folder+"/password", "&password-file="+c.folder+"/wrong"
	for place, want := range map[string]string{
		"/net/flows?rows=9" + right:                    "",
		"/net/flows2?rows=9" + right:                   "",
		"/net/none?create" + right:                     "",
		"/net/none?rows=9" + right:                     "has no table net.none; rtfm flows schema clickhouse tells how to make it, or ?create has it made",
		"/net/less?rows=9" + right:                     "table net.less has no column Boot; rtfm flows schema clickhouse tells all",
		"/net/flows?collections=less" + right:          "table net.less has no column Boot; rtfm flows schema clickhouse tells all",
		"/net/flows?rows=9" + wrong:                    "Code: 193",
		"/nowhere/flows?create" + right:                "there is no database nowhere",
		"/net/flows?password-file=" + c.folder + "/no": "no such file",
	} {
		status, printed := checkExports(t, `[{url: "clickhouse://rtfm@`+c.address+place+`"}]`, true)
		if (status == 0) != (want == "") || !strings.Contains(printed, want) || strings.Contains(printed, "plugh") {
			t.Errorf("%s: exit status %d, want %q\n%s", place, status, want, printed)
		}
	}
	if after := c.query(t, "SELECT count(), sum(ToOctets) FROM net.flows") + c.query(t, "SHOW TABLES FROM net"); after != before {
		t.Errorf("before there was\n%s\nnow\n%s", before, after)
	}
	status, printed := checkExports(t, `[{url: "clickhouse://rtfm@`+c.address+`,127.0.0.1:1/net/flows?rows=9`+right+`"}]`, true)
	if status == 0 || !strings.Contains(printed, "127.0.0.1:1: dial tcp") {
		t.Errorf("one of two hosts is away: exit status %d\n%s", status, printed)
	}
}
