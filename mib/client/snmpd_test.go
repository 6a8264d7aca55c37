package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"rtfm/mib/module"
	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"github.com/gosnmp/gosnmp"

	"rtfm/meter"
	"rtfm/meter/control"
	"rtfm/mib"
	"rtfm/mib/agentx"
	"rtfm/traces/tracetest"
)

// snmpdConfig is for one user who may write, who encrypts, and one who may but
// read flows and write reader rows.
const snmpdConfig = `agentAddress udp:%s
master agentx
agentXSocket %s
createUser strong SHA-512 authenticate-me AES-256 encrypt-for-me
createUser usual SHA-256 authenticate-me AES encrypt-for-me
rwuser strong priv
rouser usual priv
rwcommunity v2c 127.0.0.1
`

// snmpd is net-snmp's agent in front of a MIB.
type snmpd struct {
	t            testing.TB
	dir, address string
	cmd          *exec.Cmd
	log          bytes.Buffer
	registered   chan struct{} // a value for each time that it took the subagent
}

// startSnmpd starts net-snmp's agent in front of a MIB and returns its address.
func startSnmpd(t testing.TB, m mib.Meter) string { return newSnmpd(t, m).address }

func newSnmpd(t testing.TB, m mib.Meter) *snmpd {
	t.Helper()
	s := &snmpd{t: t, dir: t.TempDir(), registered: make(chan struct{}, 8)}
	tracetest.Require(t, "snmpd")
	socket := "unix:" + filepath.Join(s.dir, "agentx")
	s.address = tracetest.Address(t, "udp")
	if err := os.WriteFile(filepath.Join(s.dir, "snmpd.conf"), fmt.Appendf(nil, snmpdConfig, s.address, socket), 0o600); err != nil {
		t.Fatal(err)
	}
	agent, err := agentx.New(agentx.Config{
		Address: socket, Subtrees: mib.Subtrees(), Descr: "test",
		Changed: func(err error) {
			if err == nil {
				s.registered <- struct{}{}
			}
		},
	}, mib.New(m))
	if err != nil {
		t.Fatal(err)
	}
	s.start()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { agent.Run(ctx); close(done) }()
	t.Cleanup(func() {
		stop()
		<-done
		s.kill()
		if t.Failed() {
			t.Logf("snmpd's log:\n%s", &s.log)
		}
	})
	s.wait()
	return s
}

// start starts the program, which makes itself an engine ID unless it has one in
// its folder.
func (s *snmpd) start() {
	s.cmd = exec.Command(tracetest.Require(s.t, "snmpd"), "-f", "-Lo", "-C", "-c", filepath.Join(s.dir, "snmpd.conf"))
	s.cmd.Env = append(os.Environ(), "SNMPCONFPATH="+s.dir, "SNMP_PERSISTENT_DIR="+filepath.Join(s.dir, "state"), "MIBS=")
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// wait waits until it has the subagent.
func (s *snmpd) wait() {
	s.t.Helper()
	select {
	case <-s.registered:
	case <-time.After(30 * time.Second):
		s.t.Fatal("snmpd did not take the subagent")
	}
}

// kill kills it and forgets what it knew of itself.
func (s *snmpd) kill() {
	s.cmd.Process.Kill()
	s.cmd.Wait() // says that it was killed
	os.RemoveAll(filepath.Join(s.dir, "state"))
}

// TestEngineID has snmpd come back with another engine ID, between requests and
// while flows are read: whoever it let in before can go on.
func TestEngineID(t *testing.T) {
	t.Parallel()
	s := newSnmpd(t, control.New(control.Config{Config: meter.Config{MaxFlows: 100}}))
	c, err := Dial(t.Context(), Config{
		Address: s.address, Version: V3, User: "strong", Auth: "SHA-512", AuthPassphrase: "authenticate-me",
		Priv: "AES-256", PrivPassphrase: "encrypt-for-me", Timeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	// Less than one timeout: no request waits for an answer that cannot come.
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	engine := func() string {
		return c.snmp.SecurityParameters.(*gosnmp.UsmSecurityParameters).AuthoritativeEngineID
	}
	if _, err := c.Status(ctx); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		before := engine()
		s.kill()
		s.start()
		s.wait()
		switch n {
		case 0:
			_, err = c.Status(ctx)
		case 1:
			err = c.SetInactivityTimeout(ctx, 99)
		default: // a request that is not sent twice
			err = c.CreateReader(ctx, 1, &mib.Reader{Row: mib.Row{Owner: "me"}, RuleSet: 1})
		}
		if err != nil || engine() == before {
			t.Fatalf("start %d: %v; the engine ID was %x and is %x", n, err, before, engine())
		}
	}
	// Passphrases that were never right are no reason to begin anew.
	wrong, err := Dial(t.Context(), Config{Address: s.address, Version: V3, User: "strong", AuthPassphrase: "authenticate-him", Timeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer wrong.Close()
	socket := wrong.snmp
	if _, err := wrong.Status(t.Context()); !errors.Is(err, ErrAccess) || wrong.snmp != socket {
		t.Errorf("a wrong passphrase: %v, another socket: %v", err, wrong.snmp != socket)
	}
}

// TestSnmpd talks SNMPv3 with snmpd.
func TestSnmpd(t *testing.T) {
	t.Parallel()
	const flows = 20_000
	address := startSnmpd(t, newTableMeter(flows))
	attrs := []attr.Attr{attr.SourcePeerType, attr.SourcePeerAddress, attr.DestPeerAddress, attr.SourceTransAddress}
	strong := Config{Version: V3, User: "strong", Auth: "SHA-512", AuthPassphrase: "authenticate-me", Priv: "AES-256", PrivPassphrase: "encrypt-for-me"}
	usual := Config{Version: V3, User: "usual", AuthPassphrase: "authenticate-me", PrivPassphrase: "encrypt-for-me"}
	for what, cfg := range map[string]Config{"strong": strong, "usual": usual, "v2c": {Community: "v2c"}} {
		cfg.Address, cfg.Timeout = address, 5*time.Second
		c, err := Dial(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for method := Blocks; method <= Packages; method++ {
			n, began := 0, time.Now()
			q := FlowQuery{RuleSet: 2, Uptime: 1e5, Method: method, MaxFlows: flows, Attrs: attrs}
			if err := c.Flows(t.Context(), &q, func(*match.Flow) error { n++; return nil }); err != nil || n != flows {
				t.Errorf("%s, method %d: %v, %d flows of %d", what, method, err, n, flows)
			}
			t.Logf("%s, method %d: %.0f flows/s", what, method, flows/time.Since(began).Seconds())
		}
		err = c.SetInactivityTimeout(t.Context(), 99)
		if refused := errors.Is(err, ErrAccess); refused != (what == "usual") || !refused && err != nil {
			t.Errorf("%s sets: %v", what, err)
		}
	}
	for what, cfg := range map[string]Config{
		"nobody":           {User: "nobody", AuthPassphrase: "authenticate-me", PrivPassphrase: "encrypt-for-me"},
		"wrong passphrase": {User: "usual", AuthPassphrase: "authenticate-him", PrivPassphrase: "encrypt-for-me"},
	} {
		cfg.Address, cfg.Version, cfg.Timeout = address, V3, 200*time.Millisecond
		c, err := Dial(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.get(t.Context(), module.SysUpTime.At(0)); !errors.Is(err, ErrAccess) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
