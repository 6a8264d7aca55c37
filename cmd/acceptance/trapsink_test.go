package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"rtfm/mib"
	"rtfm/mib/client"
	"rtfm/ruleset"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// crowdTrace makes a trace of three intervals of ten seconds with so many sources
// each, none of which is in two of them.
func crowdTrace(sources int) []byte {
	var packets []traces.Packet
	for i := range 3 * sources {
		c := tracetest.Packets(tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4(fmt.Sprintf("10.0.0.%d", i), "192.0.2.1").UDP(1, 2))[0]
		c.Time += int64(i) * int64(10*time.Second) / int64(sources)
		packets = append(packets, c)
	}
	return tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, packets...)
}

// startTrapd starts net-snmp's receiver of notifications at an address. It takes
// the community "trapped" and, by SNMPv3, the user "collector", and prints a line
// for each: the varbinds, in numbers.
func startTrapd(t *testing.T, password string) (*process, string) {
	t.Helper()
	path := tracetest.Require(t, "snmptrapd")
	dir, address := t.TempDir(), tracetest.Address(t, "udp")
	config := fmt.Sprintf("authCommunity log trapped\ncreateUser collector SHA-256 %s AES %[1]s\nauthUser log collector priv\n", password)
	if err := os.WriteFile(filepath.Join(dir, "snmptrapd.conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-f", "-Lo", "-C", "-c", filepath.Join(dir, "snmptrapd.conf"), "-On", "-Oe", "-OQ", "-F", "got %P: %v\n", address)
	cmd.Env = append(netSNMPEnviron(t, dir), "MIBS=")
	return runBeside(t, cmd, func(out string) bool { return strings.Contains(out, "NET-SNMP version") }, 20*time.Second), address
}

// TestTrapSink has a meter fill its flow table and its manager end what that began,
// and net-snmp's receiver print what it is told of this: by the meter itself and, as
// mib/SNMP.md says how, by snmpd.
func TestTrapSink(t *testing.T) {
	t.Parallel()
	const password = "known-to-collector"
	trapd, sink := startTrapd(t, password)
	agent := newSecureMaster(t, password, fmt.Sprintf("trapsess -Ci -v 3 -l authPriv -u collector -a SHA-256 -A %s -x AES -X %[1]s %s", password, sink))
	trace, secret := filepath.Join(t.TempDir(), "trace"), filepath.Join(t.TempDir(), "secret")
	for path, text := range map[string][]byte{trace: crowdTrace(60), secret: []byte("trapped\n")} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m := startMeter(t, agent, "-C", trace, "-T", "10", "-f", "40", "--trap-sink", sink, "--trap-community-file", secret, "--context", "west")
	c, err := client.Dial(t.Context(), client.Config{Address: m.frontEnd.address, Community: "writer"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	must := func(errs ...error) {
		t.Helper()
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	rs, _, err := ruleset.ParseRules("sources", []byte(`
		SourcePeerType & 255 = IP: PushPkttoAct, Next;
		SourcePeerAddress & 255.255.255.255 = 0: PushPkttoAct, Next;
		Null & 0 = 0: Count, 0;`))
	must(err)
	// Both tasks have a flow for each source; the first goes to its standby ruleset
	// when there are 22 flows, and at 33 the meter goes into flood mode.
	must(c.SetFloodMark(t.Context(), 80), c.PutRuleSet(t.Context(), 2, "me", rs), c.PutRuleSet(t.Context(), 3, "me", rs),
		c.CreateManager(t.Context(), 1, &mib.Manager{Row: mib.Row{Owner: "first"}, CurrentRuleSet: 2, StandbyRuleSet: 1, HighWaterMark: 50}),
		c.CreateManager(t.Context(), 2, &mib.Manager{Row: mib.Row{Owner: "second"}, CurrentRuleSet: 3}),
		c.StartManagers(t.Context(), 1, 2))
	wait := func() *client.Trace {
		for {
			tr, err := c.Trace(t.Context())
			must(err)
			if tr.State == mib.TraceWaitingForReader {
				return tr
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	tr := wait()
	must(c.SetFloodMark(t.Context(), 0), c.SetFloodMode(t.Context(), false), c.SetRunningStandby(t.Context(), 1, false))
	must(c.ContinueTrace(t.Context(), tr)) // the second task fills the table
	wait()

	const extension = `\.1\.3\.6\.1\.4\.1\.8072\.9999\.9999\.2720`
	for _, by := range []string{"TRAP2, SNMP v2c, community trapped", "INFORM, SNMP v3, user collector, context west"} {
		for what, bindings := range map[string]string{
			`0\.1`: extension + `\.1\.1\.1\.0 = "?rtfm .*` + extension + `\.1\.1\.2\.0 = `,
			`0\.2`: `\.1\.3\.6\.1\.2\.1\.40\.1\.4\.1\.2\.1 = 2.*"first".* = 22$`,
			`0\.3`: `\.1\.3\.6\.1\.2\.1\.40\.1\.7\.0 = 33$`,
			`0\.6`: `\.1\.3\.6\.1\.2\.1\.40\.1\.4\.1\.2\.1 = 2.*"first"`,
			`0\.7`: `\.1\.3\.6\.1\.2\.1\.40\.1\.7\.0 = \d+$`,
			`0\.8`: extension + `\.1\.3\.1\.5\.3 = \d+$`,
		} {
			want := regexp.MustCompile(`(?m)^got ` + by + `: .*\.1\.3\.6\.1\.6\.3\.1\.1\.4\.1\.0 = ` + extension + `\.` + what + `\b.*` + bindings)
			trapd.wait(20*time.Second, want.MatchString)
		}
	}
}

// TestMetersInContexts has two meters under one snmpd, each in a context of its own:
// who asks in one context is answered by that meter.
func TestMetersInContexts(t *testing.T) {
	t.Parallel()
	const password = "known-to-collector"
	agent := newSecureMaster(t, password, "access grp1 west usm priv exact _all_ _all_ none", "access grp1 east usm priv exact _all_ _all_ none",
		"view _all_ included .1", "group grp1 usm collector")
	for context, flows := range map[string]string{"west": "1111", "east": "2222"} {
		startMeter(t, agent, "-C", "traces/testdata/sample.pcap", "-f", flows, "--context", context)
	}
	for context, flows := range map[string]int{"west": 1111, "east": 2222} {
		c, err := client.Dial(t.Context(), client.Config{
			Address: agent.address, Version: client.V3, User: "collector", AuthPassphrase: password, PrivPassphrase: password, ContextName: context,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		s, err := c.Status(t.Context())
		if err != nil || s.MaxFlows != flows {
			t.Fatalf("context %s: %+v, %v; want a table of %d flows", context, s, err, flows)
		}
		if err := c.SetInactivityTimeout(t.Context(), flows); err != nil {
			t.Fatal(err)
		}
		if s, err = c.Status(t.Context()); err != nil || s.InactivityTimeout != flows {
			t.Errorf("context %s: %+v, %v; want a timeout of %d", context, s, err, flows)
		}
	}
	out := agent.must("snmpwalk", ".1.3.6.1.2.1.1.9.1.2") // sysORID, of the default context
	if n := strings.Count(strings.Join(out, "\n"), ".1.3.6.1.4.1.8072.9999.9999.2720.2.1.1"); n != 2 {
		t.Errorf("%d meters in sysORTable, want 2:\n%s", n, strings.Join(out, "\n"))
	}
	if out := agent.must("snmpget", ".1.3.6.1.2.1.40.1.8.0"); !strings.Contains(out[0], "No Such Object") {
		t.Errorf("in no context: %s", out[0])
	}
}
