package acceptance

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestExportManagerKilled kills a manager of a meter that meters a trace in step now and
// then. In the end the place that its configuration names, which fails at random, has what
// the flow data file has, and no octet of the trace is missing.
func TestExportManagerKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("mostly waits for programs that are killed, or read long lists")
	}
	t.Parallel()
	const rules, interval = "ruleset/examples/services.srl", "20"
	dir := t.TempDir()
	trace, config := filepath.Join(dir, "long.pcap"), filepath.Join(dir, "meters.yaml")
	if err := os.WriteFile(trace, longTrace(5_000), 0o666); err != nil {
		t.Fatal(err)
	}
	abs, err := filepath.Abs(rules)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(19, 4))
	s := newSink(t, r)
	port := freePort(t)
	putFile(t, config, fmt.Sprintf(`defaults:
  snmp: {community: {env: RTFM_WRITE_COMMUNITY}}
  output: "%s/{name}.flows"
  json: true
  trace: true
  exports:
    - {url: "%s/flows", compression: gzip, rows: 7}
  spool: {folder: %s/spool, limit: 1GiB}
meters:
  - {name: gw, address: "127.0.0.1:%s", tasks: [{rules: %s}]}
`, dir, s.URL, dir, port, abs))
	meter := exec.Command("rtfm", "meter", "-C", trace, "-T", interval, "-m", port)
	meter.Env = append(os.Environ(), "RTFM_READ_COMMUNITY=reading", "RTFM_WRITE_COMMUNITY=writing")
	metering := startBeside(t, meter)
	start := func() *process {
		cmd := exec.Command("rtfm", "manager", "--config", config)
		cmd.Env = append(os.Environ(), "RTFM_WRITE_COMMUNITY=writing")
		return startBeside(t, cmd)
	}
	p, killed := s.killing(spoolKills()/2, 2, metering, start)
	<-metering.ended
	p.signal(syscall.SIGTERM)
	p.exit(time.Minute)
	t.Logf("%d kills", killed)
	if killed < 3 {
		t.Errorf("only %d kills", killed)
	}
	s.same(filepath.Join(dir, "gw.flows"))
	s.sums(runJSON(t, trace, rules, interval))
}

// TestExportManagerCheck checks configurations with exports.
func TestExportManagerCheck(t *testing.T) {
	t.Parallel()
	s := newSink(t, nil)
	for _, c := range []struct {
		exports, want string
		connect       bool
	}{
		{`[{url: "` + s.URL + `/x"}]`, "", true},
		{`[{url: "http://127.0.0.1:1/x"}]`, "", false},
		{`[{url: "http://127.0.0.1:1/x"}]`, "connection refused", true},
		{`[{url: "kafak://b/t"}]`, "there is no kafak", false},
		{`[{url: "http://b/t", compresion: gzip}]`, "compresion: no such option; did you mean compression?", false},
		{`[{url: "http://u:secret@b/t"}]`, "use ?password-file=FILE", false},
		{`[{rows: 5}]`, `a place of exports needs a "url"`, false},
		{`[{url: "http://b/t", password: secret}]`, "password has to be keys and their values", false},
		{`{url: x}`, "exports has to be a list", false},
	} {
		config := filepath.Join(t.TempDir(), "meters.yaml")
		rules, err := filepath.Abs("ruleset/examples/services.srl")
		if err != nil {
			t.Fatal(err)
		}
		putFile(t, config, fmt.Sprintf("defaults:\n  snmp: {user: joe}\nmeters:\n  - {address: gw, tasks: [{rules: %s}], exports: %s}\n", rules, c.exports))
		args := []string{"manager", "--config", config, "--check"}
		if c.connect {
			args = append(args, "--connect")
		}
		var out bytes.Buffer
		status := runMain(args, nil, &out, &out)
		if (status != 0) != (c.want != "") || !strings.Contains(out.String(), c.want) || strings.Contains(out.String(), "secret@") {
			t.Errorf("%s: exit status %d, %s\nwant %q", c.exports, status, &out, c.want)
		}
	}
}

func putFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
