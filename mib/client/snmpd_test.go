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

	"rtfm/mib"
	"rtfm/mib/agentx"
	"rtfm/ruleset"
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

// startSnmpd starts net-snmp's agent in front of a MIB and returns its address.
func startSnmpd(t testing.TB, m mib.Meter) string {
	t.Helper()
	program := tracetest.Require(t, "snmpd")
	dir := t.TempDir()
	address, socket := tracetest.Address(t, "udp"), "unix:"+filepath.Join(dir, "agentx")
	config := filepath.Join(dir, "snmpd.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, snmpdConfig, address, socket), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command(program, "-f", "-Lo", "-C", "-c", config)
	cmd.Env = append(os.Environ(), "SNMPCONFPATH="+dir, "SNMP_PERSISTENT_DIR="+filepath.Join(dir, "state"), "MIBS=")
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	registered := make(chan struct{}, 8)
	agent, err := agentx.New(agentx.Config{
		Address: socket, Subtrees: mib.Subtrees(), Descr: "test",
		Changed: func(err error) {
			if err == nil {
				registered <- struct{}{}
			}
		},
	}, mib.New(m))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { agent.Run(ctx); close(done) }()
	t.Cleanup(func() {
		stop()
		<-done
		cmd.Process.Kill()
		cmd.Wait() // says that it was killed
		if t.Failed() {
			t.Logf("snmpd's log:\n%s", &log)
		}
	})
	select {
	case <-registered:
	case <-time.After(30 * time.Second):
		t.Fatal("snmpd did not take the subagent")
	}
	return address
}

// TestSnmpd talks SNMPv3 with snmpd.
func TestSnmpd(t *testing.T) {
	t.Parallel()
	const flows = 20_000
	address := startSnmpd(t, newTableMeter(flows))
	attrs := []ruleset.Attr{ruleset.SourcePeerType, ruleset.SourcePeerAddress, ruleset.DestPeerAddress, ruleset.SourceTransAddress}
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
			if err := c.Flows(t.Context(), &q, func(*ruleset.Flow) error { n++; return nil }); err != nil || n != flows {
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
		cfg.Address, cfg.Version, cfg.Timeout = address, V3, 5*time.Second
		c, err := Dial(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.get(t.Context(), sysUpTime.at(0)); !errors.Is(err, ErrAccess) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
