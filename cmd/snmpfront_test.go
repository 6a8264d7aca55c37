package cmd

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"

	"rtfm/mib"
	"rtfm/ruleset"
)

// TestWarnOfOthers looks at which addresses the meter warns of when it answers
// there.
func TestWarnOfOthers(t *testing.T) {
	for ip, want := range map[string]bool{"127.0.0.1": false, "127.9.9.9": false, "::1": false, "0.0.0.0": true, "::": true, "192.0.2.1": true} {
		var b bytes.Buffer
		warnOfOthers(slog.New(slog.NewTextHandler(&b, nil)), &net.UDPAddr{IP: net.ParseIP(ip), Port: 1161})
		if got := strings.Contains(b.String(), "level=WARN"); got != want {
			t.Errorf("%s: %q", ip, b.String())
		}
	}
}

// TestListenSNMP looks by which versions of IP addresses are open.
func TestListenSNMP(t *testing.T) {
	probe, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6:", err)
	}
	probe.Close()
	for address, want := range map[string]string{
		"127.0.0.1:0": "4", "0.0.0.0:0": "4", "[::ffff:0.0.0.0]:0": "4", "[::1]:0": "6", "[::]:0": "46", ":0": "46",
	} {
		conn, err := listenSNMP(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		_, port, _ := net.SplitHostPort(conn.LocalAddr().String())
		open := ""
		for _, there := range [][2]string{{"4", "127.0.0.1"}, {"6", "::1"}} {
			if other, err := net.ListenPacket("udp"+there[0], net.JoinHostPort(there[1], port)); err == nil {
				other.Close()
			} else { // the port is taken
				open += there[0]
			}
		}
		if open != want {
			t.Errorf("%s is open to IPv%s, want %s", address, open, want)
		}
		conn.Close()
	}
}

// TestStandbyIsLogged looks at what the log says of a task with a standby ruleset
// and of one without.
func TestStandbyIsLogged(t *testing.T) {
	for standby, want := range map[int]string{0: "task stopped: it has no standby ruleset", 4: "task switched to its standby ruleset"} {
		var b bytes.Buffer
		var f fronts
		f.notify(slog.New(slog.NewTextHandler(&b, nil)), mib.Notification{Kind: mib.Standby, Index: 1, RuleSet: 3, StandbyRuleSet: standby})
		if !strings.Contains(b.String(), want) {
			t.Errorf("standby %d: %s, want %q", standby, b.String(), want)
		}
	}
}

// TestPreparedIsLogged looks at what the log says of rulesets that managers make
// active.
func TestPreparedIsLogged(t *testing.T) {
	for _, tt := range []struct {
		warnings []string
		err      error
		want     string
	}{
		{nil, nil, ""},
		{[]string{"rule 1: odd", "rule 2: odd"}, nil, `level=WARN msg="ruleset with rules that hardly do what was wanted" ruleset=5 name=hosts warnings=2 first="rule 1: odd"`},
		{nil, errors.Join(errors.New("no"), errors.New("never")), `level=WARN msg="ruleset refused" ruleset=5 name=hosts error=no`},
	} {
		var b bytes.Buffer
		logPrepared(slog.New(slog.NewTextHandler(&b, nil)), &ruleset.RuleSet{Number: 5, Name: "hosts"}, tt.warnings, tt.err)
		if got := b.String(); tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("have %q, want %q", got, tt.want)
		}
	}
}
